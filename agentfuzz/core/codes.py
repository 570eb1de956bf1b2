"""Every code that agentfuzz prints: its title, and the page that explains it.

Law: a code has one title and one page in `pages/`, and never changes its meaning. Called by the
reports (titles) and by the doors that explain a code to a person.
"""

from importlib.resources import files

from agentfuzz.core.code_table import OF_LAWS
from agentfuzz.core.errors import AgentfuzzError, near_miss

# The codes that belong to no law of ours; a law tells its own.
_OTHERS = {
    "AF500": "A law of your own is broken",
    "AF801": "Nothing was tested: no fault struck",
    "AF802": "A law was never exercised",
    "AF803": "A fault kind never struck",
    "AF804": "A tool was never called",
    "AF902": "The process died under this plan",
    "AF903": "A saved file or a step of the harness is broken",
    "AF904": "Same plan, two histories",
    "AF905": "Something escapes control",
}
CODES: dict[str, str] = dict(sorted({**OF_LAWS, **_OTHERS}.items()))

FAMILIES: dict[str, str] = {
    "AF1": "Effects and keys",
    "AF2": "Termination",
    "AF3": "Claims",
    "AF4": "Protocol",
    "AF5": "Laws of your own",
    "AF6": "Handoffs",
    "AF7": "Several agents",
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
