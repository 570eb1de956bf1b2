"""What the fault-free run leaves unjudged is said once, with the line that would judge it."""

import json

import pytest

from agentfuzz import Completion, World, scenario
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.codec import dump
from agentfuzz.core.findings import CampaignResult
from agentfuzz.report.formats import html, markdown, terminal
from agentfuzz.report.formats.json import run as as_json
from search.support import hunt


def shop(effect: str | None = "charge", **how):
    @scenario(task="Charge A17.", **how)
    def shop(world: World) -> None:
        @world.tool(
            effect=effect, scope=("order",) if effect else (), dedup="scope" if effect else "none"
        )
        def charge(order: str) -> str:
            return "ok"

    return shop


def ends(answer):
    def agent(world):
        for _ in range(3):
            try:
                world.tools.charge(order="A17")
                break
            except Exception:
                continue
        return answer

    return agent


def told(simulation, story, agent) -> CampaignResult:
    return hunt(story, agent, simulation, depth=1, deep_runs=0)


@pytest.mark.parametrize(
    ("answer", "what", "line"),
    [
        ("Charged.", "returned a text", 'success() if "..." in answer else Completion.blocked()'),
        (None, "returned nothing", "outcome=lambda answer: Completion.success()"),
        ({"id": 1, "status": "ok"}, "returned a dict", 'if answer["status"] == "..." else'),
        ({"id": 1}, "returned a dict", 'if answer["id"] == "..." else'),
        ([1], "returned a list", "if answer else Completion.blocked()"),
    ],
)
def test_an_answer_that_claims_nothing(simulation, answer, what, line):
    """A text, None, a dict: what it claims is not judged, and the line says how to."""
    (note,) = told(simulation, shop(), ends(answer)).unjudged
    assert what in note
    assert line in note
    compile(f"f(outcome={note.partition('outcome=')[2]})", "line", "eval")


def test_a_claim_is_judged(simulation):
    """A Completion, returned or mapped by `outcome=`, leaves nothing to say."""
    assert told(simulation, shop(), ends(Completion.success(handle="x"))).unjudged == ()
    mapped = shop(outcome=lambda answer: Completion.success(handle="x") if answer else None)
    assert told(simulation, mapped, ends("Charged.")).unjudged == ()


def test_a_run_without_an_effect(simulation):
    """No effect is declared, or none came about: each is said, with the line or the tool."""
    done = ends(Completion.success(handle="x"))
    (note,) = told(simulation, shop(None), done).unjudged
    assert '@world.tool(effect="charge", scope=(...))' in note
    assert "AF802" not in " ".join(told(simulation, shop(None), done).untested)

    @scenario(task="Look.")
    def looks(world: World) -> None:
        @world.tool(effect="charge", scope=("order",))
        def pay(order: str) -> str:
            return "ok"

        @world.tool
        def charge(order: str) -> str:
            return "ok"

    (note,) = told(simulation, looks, done).unjudged
    assert "it did not get as far as pay" in note


def test_an_agent_that_fails_has_its_finding(simulation):
    """Nothing is said of the answer of an agent that raised: that is AF900."""

    def fails(world):
        raise ValueError

    assert told(simulation, shop(), fails).unjudged == ()


def test_every_summary_says_it_once(simulation):
    """Terminal, Markdown, HTML and JSON; and it comes back from a worker."""
    result = told(simulation, shop(None), ends("Charged."))
    assert len(result.unjudged) == 2
    assert from_json(json.loads(dump(to_json(result)))) == result
    lines = " ".join(terminal.summary([result], report=None))
    assert lines.count("not judged:") == 2
    for text in (markdown.index([result]), html.index([result])):
        assert text.lower().count("not judged") >= 1
        assert "lambda answer" in text
    assert as_json([result])["campaigns"][0]["unjudged"] == list(result.unjudged)
