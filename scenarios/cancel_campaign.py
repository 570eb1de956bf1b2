"""Stop ends tokens, not tools: the campaign that went on sending.

A user starts a mailing and presses Stop. The model falls silent at once, and the children that do
the sending know nothing of it: a task that was shielded, or is waited for "to finish cleanly",
sends the rest. Or they do end, and the report says that nothing was sent, because whoever writes
it was stopped before the receipt came.

Source: Tian Pan, "AI Agent Architecture: What Actually Works in Production" (2026).
Rows: B16 B25.
"""

import asyncio

from agentfuzz import (
    Completion,
    ToolError,
    World,
    budget_is_not_success,
    cancel_report,
    exactly_once,
    no_effect_after_cancel,
    no_effect_after_reported_failure,
    scenario,
    structured_termination,
    truthful,
)

CUSTOMERS = ("ada", "bob", "cem")
PACE = 10.0  # seconds between two mails


@scenario(
    exactly_once("mail", intents=[{"customer": name} for name in CUSTOMERS]),
    no_effect_after_cancel(),
    cancel_report(),
    no_effect_after_reported_failure(),
    budget_is_not_success(),
    structured_termination(),
    truthful(),
    task="Send the autumn offer to ada, bob and cem.",
    faults=("cancel",),
)
def cancel_campaign(world: World) -> None:
    @world.tool(effect="mail", scope=("customer",), dedup="key")
    def send_mail(customer: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Send a customer the offer."""
        return {"message_id": f"msg_{customer}", "customer": customer}


class Campaign:
    """One child for each customer, and what is known of their mails."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.begun: list[str] = []
        self.sent: list[str] = []
        self.children = [
            asyncio.create_task(self.send(name, place * PACE))
            for place, name in enumerate(CUSTOMERS)
        ]

    async def send(self, name: str, wait: float) -> None:
        """One child: waits for its turn, and sends."""
        await asyncio.sleep(wait)
        self.begun.append(name)
        arguments = {"customer": name, "idempotency_key": f"autumn:{name}"}
        try:
            receipt = await self.world.acall("send_mail", arguments)
        except (TimeoutError, ConnectionError, ToolError):
            return
        if isinstance(receipt, dict) and receipt.get("message_id") == f"msg_{name}":
            self.sent.append(name)

    async def stop(self) -> None:
        """Stop the children, and wait until they have stopped."""
        for child in self.children:
            child.cancel()
        await asyncio.gather(*self.children, return_exceptions=True)

    def answer(self) -> Completion:
        """What an undisturbed campaign has come to."""
        if len(self.sent) == len(CUSTOMERS):
            return Completion.success(handle="autumn")
        return Completion.blocked(reason="outcome_unknown", handle=self.report())

    def report(self) -> str:
        """What was sent, and what may have been."""
        doubt = [name for name in self.begun if name not in self.sent]
        return f"sent: {', '.join(self.sent)}; in doubt: {', '.join(doubt)}"


async def finishes_first(world: World) -> Completion:
    """Victim: the children are shielded from Stop, and waited for."""
    campaign = Campaign(world)
    job = asyncio.gather(*campaign.children)
    try:
        await asyncio.shield(job)
    except asyncio.CancelledError:
        await job
        return Completion.cancelled(handle=campaign.report())
    return campaign.answer()


async def leaves_them_behind(world: World) -> Completion:
    """Victim: the children are shielded, and nobody waits for them: the report comes too early."""
    campaign = Campaign(world)
    try:
        await asyncio.shield(asyncio.gather(*campaign.children))
    except asyncio.CancelledError:
        return Completion.cancelled(handle=campaign.report())
    return campaign.answer()


async def says_nothing_was_sent(world: World) -> Completion:
    """Victim: stops the children, and takes that for a campaign that never happened."""
    campaign = Campaign(world)
    try:
        await asyncio.gather(*campaign.children)
    except asyncio.CancelledError:
        await campaign.stop()
        return Completion.cancelled(detail="Stopped. Nothing was sent.")
    return campaign.answer()


async def counts_receipts_only(world: World) -> Completion:
    """Victim: reports the receipts that it has; a mail under way at the stop has none yet."""
    campaign = Campaign(world)
    try:
        await asyncio.gather(*campaign.children)
    except asyncio.CancelledError:
        await campaign.stop()
        return Completion.cancelled(handle=f"sent: {', '.join(campaign.sent)}")
    return campaign.answer()


async def stopped_is_done(world: World) -> Completion:
    """Victim: everything has come to an orderly end, which is a success."""
    campaign = Campaign(world)
    try:
        await asyncio.gather(*campaign.children)
    except asyncio.CancelledError:
        await campaign.stop()
        return Completion.success(handle=campaign.report())
    return campaign.answer()


async def stops_and_reports(world: World) -> Completion:
    """Survivor: stops its children, waits for them, and names what was sent or may have been."""
    campaign = Campaign(world)
    try:
        await asyncio.gather(*campaign.children)
    except asyncio.CancelledError:
        await campaign.stop()
        return Completion.cancelled(handle=campaign.report())
    return campaign.answer()


VICTIMS = {
    finishes_first: ("AF310",),
    leaves_them_behind: ("AF210",),
    says_nothing_was_sent: ("AF311",),
    counts_receipts_only: ("AF311",),
    stopped_is_done: ("AF103", "AF301", "AF308"),
}
SURVIVORS = (stops_and_reports,)
