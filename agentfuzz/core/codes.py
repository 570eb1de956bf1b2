"""Every code that agentfuzz prints: its title, and the page that explains it.

Law: a code has one title and one page in `pages/`, and never changes its meaning. Called by the
reports (titles) and by the doors that explain a code to a person.
"""

from importlib.resources import files

from agentfuzz.core.errors import AgentfuzzError, near_miss

CODES: dict[str, str] = {
    "AF101": "The effect happened again: the agent called again",
    "AF102": "One request was delivered more than once and not recognised",
    "AF103": "Success is claimed and the effect is missing",
    "AF104": "Blind repeat: called again while the outcome was in doubt",
    "AF105": "The ledger differs from the fault-free run",
    "AF106": "The key changed between attempts, or there is none",
    "AF107": "One key, two intents",
    "AF108": "Phantom success, or a swallowed second intent",
    "AF109": "A key was used before it was saved",
    "AF110": "What was done was not undone, or not as it should be",
    "AF111": "A second delivery of the trigger changed the outcome",
    "AF112": "Two requests for one intent at the same time",
    "AF113": "The key follows the words of the model",
    "AF201": "The run never ended by itself, or went over a declared limit",
    "AF202": "The loop spins without a call",
    "AF203": "The loop waits for what cannot come",
    "AF204": "The run ended without a completion event",
    "AF205": "Malformed completion",
    "AF206": "Several completions of one task",
    "AF207": "No progress: the same call, the same reply, again",
    "AF208": "A reply of the model that did not finish was acted on",
    "AF209": "The run ended with a blank answer",
    "AF210": "An effect after its failure, or the end, had been reported",
    "AF211": "A declared limit was exceeded",
    "AF212": "A limit stopped the run, and the answer does not say so",
    "AF213": "The conversation cannot be continued",
    "AF214": "Control was not returned",
    "AF215": "The run did not end in its time",
    "AF216": "Done again after it was done",
    "AF217": "Too many attempts at one call",
    "AF301": "Success is claimed and the world disagrees",
    "AF302": "An effect after the completion",
    "AF303": "The answer is not the last word",
    "AF304": "The words of the model decided",
    "AF305": "Two doors, two outcomes",
    "AF306": "The run contradicts itself",
    "AF307": "An unknown outcome was told as failed",
    "AF308": "A run that was stopped claims success",
    "AF310": "An effect was begun after the cancel",
    "AF311": "A cancelled run keeps an effect to itself",
    "AF401": "An unknown tool was called",
    "AF402": "Invalid arguments were never mended",
    "AF403": "A key was reused with other parameters",
    "AF404": "A call without its result, or a result without its call",
    "AF405": "What the model was shown has vanished",
    "AF406": "The receipt of an executed call was not shown",
    "AF407": "Executed otherwise than asked",
    "AF408": "A decision answered another interrupt",
    "AF409": "An approval was used twice, too late, or not at all",
    "AF410": "The loop's log and the backend disagree",
    "AF411": "An error was swallowed",
    "AF412": "An effect was forgotten",
    "AF500": "A law of your own is broken",
    "AF801": "Nothing was tested: no fault struck",
    "AF802": "A law was never exercised",
    "AF803": "A fault kind never struck",
    "AF804": "A tool was never called",
    "AF900": "The agent fails without any fault",
    "AF901": "The agent raised something that is no Exception",
    "AF902": "The process died under this plan",
    "AF903": "A saved file or a step of the harness is broken",
    "AF904": "Same plan, two histories",
    "AF905": "Something escapes control",
}

FAMILIES: dict[str, str] = {
    "AF1": "Effects and keys",
    "AF2": "Termination",
    "AF3": "Claims",
    "AF4": "Protocol",
    "AF5": "Laws of your own",
    "AF8": "What was not tested",
    "AF9": "Before any law",
}


def page(code: str) -> str:
    """The page of a code, in Markdown. Raises AgentfuzzError for a code that does not exist."""
    if code not in CODES:
        raise AgentfuzzError(
            f"there is no code {code!r}.{near_miss(code.upper().replace('O', '0'), CODES)} "
            "Codes look like AF101; the family is in the first digit."
        )
    return (files("agentfuzz.core") / "pages" / f"{code}.md").read_text(encoding="utf-8")


def listing() -> str:
    """All codes with their titles, by family, one a line."""
    parts = []
    for prefix, family in FAMILIES.items():
        lines = [f"  {code}  {title}" for code, title in CODES.items() if code.startswith(prefix)]
        parts.append("\n".join([family, *lines]))
    return "\n\n".join(parts)
