"""The bundled scenarios: each victim breaks the laws it is there for, each survivor none."""

import sys
from importlib import import_module
from pathlib import Path

import paper
import pytest

from agentfuzz import run
from agentfuzz.engine.simulation import Simulation
from agentfuzz.invariants import LAWS
from agentfuzz.scenarios import (
    approve_payment,
    cancel_campaign,
    charge_order,
    file_ticket,
    half_a_checkpoint,
    keep_session,
    migrate_rows,
    ordered_effects,
    page_on_call,
    poll_export,
    refund_order,
    research_team,
    resolve_ticket,
    restock_inventory,
    resume_after_crash,
    saga,
    send_invoice_mail,
    shared_stock,
    sign_document,
    two_agents_one_seat,
    webhook_twice,
)
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from tests.extent import ALL, upto

HOME = Path(charge_order.__file__).parent
NAMES = sorted(path.stem for path in HOME.glob("*.py"))
MODULES = [import_module(f"agentfuzz.scenarios.{name}") for name in NAMES]
STORIES = {module: getattr(module, module.__name__.rpartition(".")[2]) for module in MODULES}


def campaign(story, agent, depth=1, faults=(), deep_runs=200, max_runs=100_000, **words):
    """The result of a campaign, with the story's own faults and those chosen by `words`."""
    with Simulation() as simulation:
        found = Campaign(
            STORIES[story],
            agent,
            simulation,
            space=Space(faults=(*STORIES[story].faults, *faults), **words),
            budget=Budget(max_seconds=240, max_runs=max_runs, depth=depth, deep_runs=deep_runs),
        )
        found.search()
        return found.result()


CASES = [(story, victim, codes) for story in STORIES for victim, codes in story.VICTIMS.items()]


@pytest.mark.parametrize(
    ("story", "victim", "codes"), CASES, ids=lambda x: getattr(x, "__name__", "")
)
def test_victim_breaks_its_laws(story, victim, codes):
    """A victim breaks every law that its story says it breaks, few of them at random only."""
    depth, found = getattr(story, "DEPTH", 1), set()
    for deep_runs in (0, 200):
        if not set(codes) <= found:
            result = campaign(story, victim, depth=depth, deep_runs=deep_runs)
            found = {finding.code for finding in result.findings}
    assert set(codes) <= found


def test_every_story_is_here():
    """What lies in the folder is put to the test."""
    assert [story.__name__ for story in STORIES] == [
        one.__name__ for one in paper.bundled().values()
    ]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__.rpartition(".")[2])
def test_a_story_shows_its_rows(story):
    """Each row that a story names is one of the catalogue, and a victim breaks a law of it (where
    the row has one)."""
    laws = paper.rows()
    broken = {code for codes in story.VICTIMS.values() for code in codes}
    for row in paper.told_rows(story):
        codes = {code for law in laws[row] for code in LAWS[law].codes}
        assert not codes or codes & broken, row


@pytest.mark.parametrize(
    ("row", "victim", "kind", "code"),
    [
        ("F03", charge_order.key_per_call, "once/truncated", "AF101"),
        ("F08", restock_inventory.hashes_the_arguments, "drift", "AF101"),
        ("F31", file_ticket.cuts_the_oldest, "lost/error", "AF412"),
        ("F60", migrate_rows.empty_is_the_end, "wrong", "AF301"),
        ("B02", poll_export.starts_anew, "once/rate_limited", "AF101"),
        ("B08", resolve_ticket.believes_any_ending, "lost/error", "AF301"),
        ("B14", poll_export.refused_is_failed, "once/ambiguous", "AF307"),
        ("B15", send_invoice_mail.says_it_is_sent, "skip", "AF301"),
        ("B22", charge_order.key_per_call, "hostile", "AF101"),
        ("B29", refund_order.looks_up_too_early, "late/timeout", "AF104"),
        ("B30", refund_order.refunds_the_unknown, "late/timeout", "AF110"),
        ("B31", refund_order.refunds_the_plan, "once/timeout", "AF110"),
        ("B34", sign_document.reads_it_again, "wrong", "AF116"),
        ("B37", page_on_call.asks_at_once, "rate_limited", "AF218"),
        ("B39", sign_document.used_up_too_early, "crash", "AF413"),
        ("B42", keep_session.one_session, "once/timeout", "AF220"),
        ("B47", poll_export.accepted_is_done, "unauthorized", "AF301"),
    ],
)
def test_a_row_is_shown_by_its_provocation(row, victim, kind, code):
    """The fault that the row is about is all that the victim needs, and the story names the row."""
    story = sys.modules[victim.__module__]
    assert row in paper.told_rows(story)
    found = campaign(story, victim, only=(kind,), deep_runs=0).findings
    plans = {str(one.plan) for one in found if one.code == code}
    assert plans - {"no faults"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "survivor"), [(story, agent) for story in STORIES for agent in story.SURVIVORS]
)
def test_survivor_keeps_every_law(story, survivor):
    """A survivor breaks no law under any plan with one fault, bursts and outages among them, and
    every law of the story is exercised. Nor under any plan with two, if all are tried."""
    result = campaign(story, survivor, depth=2, deep_runs=0, max_runs=upto(1_000, 100_000))
    assert result.findings == ()
    assert not [text for text in result.untested if text.startswith("AF801")]
    levels = {level.name: level for level in result.levels}
    for name in ("plans with one fault", *(["plans with two faults"] if ALL else ())):
        assert levels[name].done + levels[name].skipped == levels[name].total
    if ALL:
        assert result.stopped == "exhausted"
        assert not [text for text in result.untested if text.startswith("AF802")]


def test_missed_completion():
    """A closing phrase that the detector does not know makes it answer the customer twice: other
    words for the same ending are the only fault there is."""
    result = campaign(resolve_ticket, resolve_ticket.reads_prose, only=("reword",))
    plans = {finding.code: str(finding.plan) for finding in reversed(result.findings)}
    assert set(plans) == {"AF101", "AF304"}
    assert set(plans.values()) == {"model#3:reword"}


def test_premature_completion():
    """A model that skips the work and closes is believed: success is claimed, nothing happened."""
    result = campaign(resolve_ticket, resolve_ticket.reads_prose, only=("skip",))
    plans = {finding.code: str(finding.plan) for finding in reversed(result.findings)}
    assert plans["AF103"] == plans["AF301"] == "model#1:skip"


def plans(story, agent, *kinds):
    """The smallest plan of each finding of one fault, when there are only faults of these kinds."""
    found = campaign(story, agent, only=kinds, deep_runs=0).findings
    return firsts(found)


def firsts(findings):
    """Of each law and subject the smallest plan: further causes of it are left out."""
    found = {}
    for one in findings:
        found.setdefault(f"{one.code} {one.violation.subject}", str(one.plan))
    return found


def test_a_click_that_comes_twice():
    """Whoever pays on each delivery of an approval pays twice; in order, the second click pays
    the other invoice."""
    twice = "approval:pay_invoice#1:twice"
    assert plans(approve_payment, approve_payment.every_click, "twice") == {
        "AF101 payment": twice,
        "AF408 pay_invoice": twice,
        "AF409 pay_invoice again": twice,
    }
    assert plans(approve_payment, approve_payment.in_order, "twice") == {
        "AF408 pay_invoice": twice,
        "AF409 pay_invoice": twice,
    }


def test_a_click_while_the_payment_is_under_way():
    """The second decision is carried out within the first one's call."""
    found = plans(approve_payment, approve_payment.every_click, "double_click")
    assert found["AF101 payment"] == "approval:pay_invoice#1:double_click"


def test_no_and_too_late():
    """A refusal is no yes, and neither is a yes to what has expired."""
    assert plans(approve_payment, approve_payment.any_answer, "refused") == {
        "AF408 pay_invoice": "approval:pay_invoice#1:refused",
        "AF409 pay_invoice": "approval:pay_invoice#1:refused",
    }
    assert plans(approve_payment, approve_payment.whenever, "late") == {
        "AF409 pay_invoice late": "approval:pay_invoice#1:late",
    }


def test_stop():
    """Children that are waited for go on sending; a report of the receipts misses the mail that
    was under way."""
    story = cancel_campaign
    assert plans(story, story.finishes_first, "cancel") == {
        "AF310 mail": "process:send_mail#1:cancel"
    }
    assert plans(story, story.leaves_them_behind, "cancel") == {
        "AF210 mail": "process:send_mail#1:cancel"
    }
    assert plans(story, story.says_nothing_was_sent, "cancel") == {
        "AF311 mail": "process:send_mail#2:cancel"
    }
    assert plans(story, story.counts_receipts_only, "cancel") == {
        "AF311 mail": "process:send_mail#1:cancel/after"
    }
    assert plans(story, story.stopped_is_done, "cancel") == {
        "AF103 mail": "process:send_mail#1:cancel",
        "AF301 claim": "process:send_mail#1:cancel",
        "AF308 cancelled": "process:send_mail#1:cancel",
    }


def test_check_then_act():
    """One child waits before it books, and the other one books: of all faults of the story, this
    is the smallest that does it."""
    first = "schedule:book_seat#1:preempted"
    assert plans(two_agents_one_seat, two_agents_one_seat.both_look_first) == {
        "AF101 booking": first,
        "AF112 booking": first,
        "AF500 one_holder": first,
    }


def test_a_lost_update():
    """Both read 0 and write 1."""
    story = two_agents_one_seat
    assert plans(story, story.both_overwrite, "preempted") == {
        "AF500 no_lost_update": "schedule:set_count#1:preempted"
    }


def test_a_version_that_nobody_read():
    """One agent waits before it writes, and the other one has written: of all faults of the story,
    this is the smallest that does it."""
    found = plans(shared_stock, shared_stock.read_and_write)
    assert found == {"AF704 stock": "schedule:shared#2:preempted"}


@pytest.mark.slow
def test_what_a_team_loses():
    """A late writer is another one's rival; a false plan has too many parts; a place that is down
    is left out; to lose one of two rents, or a source, takes no fault."""
    story = research_team
    assert plans(story, story.two_writers) == {"AF701 report": "child:writer#1:late"}
    assert plans(story, story.fifty) == {"AF702 children": "outline#1:once/wrong"}
    down = "search#1+:once/timeout"
    lost = {f"AF703 {place}": down for place in story.PLACES}
    assert plans(story, story.leaves_out) == lost
    assert plans(story, story.one_rent) == {"AF705 rent": "no faults"}
    items = dict.fromkeys(item for item, _ in story.PLACES.values())
    invented = {f"AF706 {item}": "no faults" for item in items}
    assert plans(story, story.cites_afterwards) == invented


def test_fifty_at_once():
    """Ten times five: the title says how many there were."""
    found = run(research_team.research_team, research_team.fifty, "outline#1:once/wrong=4")
    assert [one.title for one in found.violations] == ["50 agents at once, 5 allowed"]


def test_the_position_says_nothing_of_the_effect():
    """A crash after the payment and before the checkpoint pays twice; one after the checkpoint
    and before the payment skips it."""
    story = resume_after_crash
    after = plans(story, story.saves_the_position_after, "crash")
    assert after["AF101 salary"] == "store:position#1:crash"
    before = plans(story, story.saves_the_position_before, "crash")
    assert before["AF103 salary"] == before["AF301 claim"] == "process:pay#1:crash"


def test_calling_off_a_trip():
    """One slow reply, and the room is gone; then the order, the key, the receipt or all is lost."""
    slow = "book_flight#1:once/timeout"
    lost = f"{slow} + cancel_flight#1:once/timeout"
    expected = {
        saga.first_one_first: {"AF110 order": slow},
        saga.key_per_attempt: {"AF101 cancellation": lost, "AF110 cancellation": lost},
        saga.fire_and_forget: {
            "AF307 cancellation": lost,
            "AF110 flight": f"{slow} + cancel_flight#1:lost/timeout",
        },
        saga.forgets: {"AF110 flight": slow},
    }
    for victim, found in expected.items():
        result = campaign(saga, victim, depth=2, only=("once/timeout", "lost/timeout"))
        assert firsts(result.findings) == found


def test_a_webhook_that_comes_twice():
    """After the end it is enough to have noted it; in the middle of the work it is not."""
    at_the_end = "end#1:duplicate_trigger"
    on_the_way = "process:send_mail#1:duplicate_trigger"
    at_once = "process:ship#1:duplicate_trigger"
    story = webhook_twice
    assert plans(story, story.takes_every_delivery, "duplicate_trigger") == {
        **{f"{code} mail": at_the_end for code in ("AF101", "AF111", "AF216")},
        **{f"{code} shipment": at_the_end for code in ("AF101", "AF111", "AF216")},
        "AF112 mail": on_the_way,
        "AF112 shipment": at_once,
    }
    assert plans(story, story.notes_it_at_the_end, "duplicate_trigger") == {
        **{f"{code} mail": on_the_way for code in ("AF101", "AF111", "AF112")},
        **{f"{code} shipment": on_the_way for code in ("AF101", "AF111")},
        "AF112 shipment": at_once,
    }


def test_a_checkpoint_that_is_not_whole():
    """The key that was saved ahead is gone with a cache; the list of what is open is cut off."""
    story = half_a_checkpoint
    ahead = plans(story, story.saves_the_key_ahead, "torn", "stale", "crash")
    assert ahead == {"AF101 payout": "store:step#1:stale"}
    lists = plans(story, story.saves_what_is_open, "torn", "stale", "crash")
    assert lists == {
        "AF103 payout": "store:open#1:torn",
        "AF301 claim": "store:open#1:torn",
    }


def test_steps_that_overtake_each_other():
    """One of three side by side waits; one of three in turn arrives late."""
    story = ordered_effects
    at_once = plans(story, story.all_at_once, "preempted")
    assert at_once["AF115 deployment"] == "schedule:migrate#1:preempted"
    in_turn = plans(story, story.whatever_comes_of_it, "late")
    assert in_turn["AF115 deployment"] == "migrate#1:late/timeout"
