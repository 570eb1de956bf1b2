"""The upgrade that was carried through, whatever came back on the way.

Ada goes from Basic to Pro: the rest of Basic is credited, Pro is charged, the plan is changed. The
steps are planned from what the account said at first, and it may have said something else than what
is so: a page shows another plan, or another price. A loop that reads "not Basic any more" and ends
has done nothing and says that all is done; one that charges what the page says charges a number
that nobody meant; and one that goes on when a step has no receipt changes the plan for nothing. A
credit and a charge are two intents of one tool: with one key the second is the first once more.

Source: Tian Pan, "AI Agent Architecture: What Actually Works in Production" (2026).
Rows: F09 F63 B13 B34.
"""

from agentfuzz import (
    Completion,
    History,
    ToolError,
    World,
    exactly_once,
    one_intent_per_key,
    only_after,
    same_arguments,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
PRICES = {"credit": -1000, "charge": 3000}  # what the offer says, in cents


def upgraded(history: History) -> bool:
    """The plan is Pro, and both entries stand in the books."""
    done = [(commit.tool, commit.args.get("kind")) for commit in history.ledger]
    return {("book", "credit"), ("book", "charge"), ("change_plan", None)} <= set(done)


@scenario(
    exactly_once("entry", intents=[{"kind": kind} for kind in PRICES]),
    exactly_once("plan"),
    only_after("plan", needs="entry"),
    one_intent_per_key(),
    same_arguments(),
    structured_termination(),
    truthful(postcondition=upgraded),
    task="Upgrade Ada from Basic to Pro: credit 10.00 EUR, charge 30.00 EUR, change the plan.",
)
def upgrade_subscription(world: World) -> None:
    account = {"plan": "basic", "credit": PRICES["credit"], "charge": PRICES["charge"]}

    @world.tool
    def read_account() -> dict[str, object]:
        """The account's plan, and what an upgrade would cost."""
        return dict(account)

    @world.tool(effect="entry", scope=("kind",), dedup="key")
    def book(kind: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        """Book a credit or a charge."""
        return {"booked": kind, "cents": cents}

    @world.tool(effect="plan", scope=(), dedup="key")
    def change_plan(plan: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Change the plan of the account."""
        account["plan"] = plan
        return {"plan": plan}


def sure(world: World, tool: str, expected: dict, key: str, **arguments: object) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        try:
            if world.tools[tool](**arguments, idempotency_key=key) == expected:
                return True
        except FAILURES:
            continue
    return False


def account(world: World) -> dict:
    """What the account says; nothing where it says nothing."""
    for _ in range(3):
        try:
            page = world.tools.read_account()
        except FAILURES:
            continue
        if isinstance(page, dict) and page.keys() == {"plan", *PRICES}:
            return page
    return {}


def unknown() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle="ada")


def carry_through(world: World, prices: dict, key_of=lambda kind: f"upgrade:{kind}") -> bool:
    """The steps of the plan, each from the receipt of the one before."""
    for kind in PRICES:
        cents = prices[kind]
        receipt = {"booked": kind, "cents": cents}
        if not sure(world, "book", receipt, key_of(kind), kind=kind, cents=cents):
            return False
    return sure(world, "change_plan", {"plan": "pro"}, "upgrade:plan", plan="pro")


def reads_prices(world: World) -> Completion:
    """Victim: the prices are those that the page shows."""
    page = account(world)
    if page and carry_through(world, page):
        return Completion.success(handle="ada")
    return unknown()


def one_key_for_both(world: World) -> Completion:
    """Victim: one upgrade, one key: the charge is taken for the credit once more."""
    if carry_through(world, PRICES, lambda kind: "upgrade"):
        return Completion.success(handle="ada")
    return unknown()


def believes_the_page(world: World) -> Completion:
    """Victim: not on Basic any more, so there is nothing to do; nobody asks how that came about."""
    if account(world).get("plan") != "basic":
        return Completion.success(reason="nothing_to_do", handle="ada")
    return Completion.success(handle="ada") if carry_through(world, PRICES) else unknown()


def sticks_to_the_plan(world: World) -> Completion:
    """Victim: carries the plan through to its end, whatever the steps on the way have said."""
    for kind, cents in PRICES.items():
        receipt = {"booked": kind, "cents": cents}
        sure(world, "book", receipt, f"upgrade:{kind}", kind=kind, cents=cents)
    done = sure(world, "change_plan", {"plan": "pro"}, "upgrade:plan", plan="pro")
    return Completion.success(handle="ada") if done else unknown()


def stops_at_contradictions(world: World) -> Completion:
    """Survivor: the offer says what it costs. Where the page says something else, or a step has no
    receipt, the plan is over, and a person looks."""
    if account(world) != {"plan": "basic", **PRICES}:
        return Completion.blocked(reason="needs_input", handle="ada")
    return Completion.success(handle="ada") if carry_through(world, PRICES) else unknown()


VICTIMS = {
    reads_prices: ("AF116",),
    one_key_for_both: ("AF107",),
    believes_the_page: ("AF103", "AF301"),
    sticks_to_the_plan: ("AF103", "AF301", "AF117"),
}
SURVIVORS = (stops_at_contradictions,)
