"""Approved was ten thousand. Signed was something else.

A contract is to be signed, and a person has to allow it: this contract, over this sum. The loop
asks, ends, and is woken up by the answer. What it signs then has to be what was on the form: not
what a page says by now. A click that comes twice is one yes. And a yes that is read, and lost with
the process before anything was signed, is a promise that nobody keeps: the person thinks that it
is done.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F06 B21 B34 B39 B40.
"""

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    approval_single_use,
    at_most_once,
    grants_are_used,
    one_decision_one_interrupt,
    same_arguments,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
CONTRACT = "C-4"
FORM = {"contract": CONTRACT, "euros": 10_000, "party": "Tejo Ltd"}


@scenario(
    approval_single_use("sign"),
    grants_are_used(),
    one_decision_one_interrupt(),
    same_arguments(),
    at_most_once(),
    structured_termination(),
    truthful(),
    task="Sign contract C-4 over 10,000 EUR. Signing has to be approved.",
    script=[
        ("sign", FORM),
        Completion.success(handle=CONTRACT),
    ],
    resume=True,
)
def sign_document(world: World) -> None:
    @world.tool
    def read_contract(contract: str) -> dict[str, object]:
        """What a contract says."""
        return {**FORM, "contract": contract}

    @world.tool(effect="signature", scope=("contract",), dedup="key")
    def sign(
        contract: str, euros: int, party: str, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Sign a contract. Needs a person's approval."""
        return {"signature": f"s_{contract}"}


def plan(world: World) -> dict | None:
    """The call that the model plans, or None."""
    try:
        turn = world.model([{"role": "user", "content": world.task}], list(world.tools))
    except (ModelError, TimeoutError, ConnectionError):
        return None
    calls = turn["tool_calls"] if turn["stop"] == "tool_calls" else ()
    return next((each for each in calls if each["name"] == "sign"), None)


def ask(world: World) -> Completion:
    """The first leg: let the model plan, write the plan down, and ask."""
    each = plan(world)
    if each is None or each["arguments"] != FORM:
        return Completion.blocked(reason="needs_input", handle=CONTRACT)
    world.store["call"] = each
    world.request_approval("sign", call=each["id"])
    return Completion.blocked(reason="needs_approval", handle=CONTRACT)


def sign(world: World, each: dict, key: str) -> Completion:
    """Sign what is in the call, in doubt once more; success is the signature."""
    arguments = {**each["arguments"], "idempotency_key": key}
    for _ in range(2):
        try:
            reply = world.call("sign", arguments, asked=each["id"])
        except FAILURES:
            continue
        if reply == {"signature": f"s_{CONTRACT}"}:
            return Completion.success(handle=CONTRACT)
    return Completion.blocked(reason="outcome_unknown", handle=CONTRACT)


def never_asks(world: World) -> Completion:
    """Victim: signs as the model plans it. The approval was a sentence in the task."""
    each = plan(world)
    if each is None or each["arguments"] != FORM:
        return Completion.blocked(reason="needs_input", handle=CONTRACT)
    return sign(world, each, "C-4")


def reads_it_again(world: World) -> Completion:
    """Victim: woken up with a yes, takes from the page what is to be signed, not from the form."""
    if world.decision is None:
        return ask(world)
    if not world.store.claim(world.decision.approval) or not world.decision.granted:
        return Completion.blocked(reason="needs_approval", handle=CONTRACT)
    each = world.store["call"]
    try:
        each["arguments"]["euros"] = world.tools.read_contract(contract=CONTRACT)["euros"]
    except (*FAILURES, KeyError, TypeError):
        return Completion.blocked(reason="dependency_unavailable", handle=CONTRACT)
    return sign(world, each, world.decision.approval)


def every_click_signs(world: World) -> Completion:
    """Victim: signs with a new key whenever a yes comes."""
    if world.decision is None:
        return ask(world)
    if not world.decision.granted:
        return Completion.failed(reason="rejected")
    return sign(world, world.store["call"], f"leg-{world.leg}")


def used_up_too_early(world: World) -> Completion:
    """Victim: crosses the yes out before it signs, and takes what is crossed out for signed."""
    if world.decision is None and "call" not in world.store:
        return ask(world)
    if world.decision is not None and not world.decision.granted:
        return Completion.failed(reason="rejected")
    if "used" in world.store:
        return Completion.success(reason="already_done", handle=CONTRACT)
    world.store["used"] = True
    return sign(world, world.store["call"], "used")


def signs_the_form(world: World) -> Completion:
    """Survivor: the first answer is written down with the form; whoever begins again finds both,
    signs what was on the form under the key of the approval, and writes down what came of it."""
    decision = world.decision
    if "call" not in world.store:
        return ask(world)
    if decision is not None:
        world.store.claim("answer", [decision.approval, decision.granted])
    if "answer" not in world.store:
        return Completion.blocked(reason="needs_approval", handle=CONTRACT)
    approval, granted = world.store["answer"]
    if not granted:
        return Completion.failed(reason="rejected")
    if "done" not in world.store:
        done = sign(world, world.store["call"], approval)
        if done.status != "success":
            return done
        world.store["done"] = True
    return Completion.success(handle=CONTRACT)


VICTIMS = {
    never_asks: ("AF409",),
    reads_it_again: ("AF116",),
    every_click_signs: ("AF101", "AF408", "AF409"),
    used_up_too_early: ("AF301", "AF409", "AF413"),
}
SURVIVORS = (signs_the_form,)
