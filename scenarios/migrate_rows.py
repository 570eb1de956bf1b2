"""The migration that was done when the pages were empty.

Customers move to a new database, a page at a time: read a page behind the cursor, copy it, move
the cursor. The process may die at any step and is started again. A cursor that is saved before the
copy skips a page, one that is saved after it copies a page twice, unless the copy has the same key
as before; and a key that was made up on the way has to be written down with the cursor. And a page
that comes back empty, cut off or stale is not the end of the table.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F13 F60 B04 B05 B13.
"""

from uuid import uuid4

from agentfuzz import (
    Completion,
    ToolError,
    World,
    exactly_once,
    key_saved_before_use,
    no_redo,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
CUSTOMERS = ("ada", "bob", "cem", "dot")
PAGE = 2


@scenario(
    exactly_once("copy", intents=[{"first": first} for first in range(0, len(CUSTOMERS), PAGE)]),
    key_saved_before_use(),
    same_key_on_retry(),
    no_redo(),
    structured_termination(),
    truthful(),
    task="Copy the four customers into the new database.",
    resume=True,
)
def migrate_rows(world: World) -> None:
    @world.tool
    def read_page(first: int) -> dict[str, object]:
        """A page of the old table, from a row on."""
        return {"first": first, "rows": list(CUSTOMERS[first : first + PAGE])}

    @world.tool(effect="copy", scope=("first",), dedup="key")
    def copy_rows(
        first: int, rows: list[str], idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Append rows to the new table."""
        return {"copied": len(rows), "from": first}


def read(world: World, first: int) -> list[str] | None:
    """A whole page, or None."""
    for _ in range(3):
        try:
            page = world.tools.read_page(first=first)
        except FAILURES:
            continue
        rows = page.get("rows") if isinstance(page, dict) and page.get("first") == first else None
        if isinstance(rows, list) and len(rows) == PAGE:
            return rows
    return None


def copy(world: World, first: int, rows: list[str], key: str) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        try:
            reply = world.tools.copy_rows(first=first, rows=rows, idempotency_key=key)
        except FAILURES:
            continue
        if reply == {"copied": len(rows), "from": first}:
            return True
    return False


def stuck(first: int) -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=f"row {first}")


def save(world: World, first: int) -> dict:
    """Write down which page is next, and its key."""
    step = world.store["step"] = {"first": first, "key": str(uuid4())}
    return step


def moves_the_cursor_first(world: World) -> Completion:
    """Victim: the cursor is saved, then the page is copied. A crash in between skips the page."""
    for first in range(world.store.get("cursor", 0), len(CUSTOMERS), PAGE):
        world.store["cursor"] = first + PAGE
        rows = read(world, first)
        if rows is None or not copy(world, first, rows, f"page-{first}"):
            return stuck(first)
    return Completion.success(handle="customers")


def makes_up_a_key(world: World) -> Completion:
    """Victim: the page is copied, then the cursor is saved. A crash in between copies the page
    again, under a key that nobody has seen."""
    for first in range(world.store.get("cursor", 0), len(CUSTOMERS), PAGE):
        rows = read(world, first)
        if rows is None or not copy(world, first, rows, str(uuid4())):
            return stuck(first)
        world.store["cursor"] = first + PAGE
    return Completion.success(handle="customers")


def empty_is_the_end(world: World) -> Completion:
    """Victim: reads until there is nothing more to read, and takes any empty answer for that."""
    step = world.store.get("step") or save(world, 0)
    while step["first"] < len(CUSTOMERS):
        try:
            rows = world.tools.read_page(first=step["first"])["rows"]
        except (*FAILURES, KeyError, TypeError):
            return stuck(step["first"])
        if not rows:
            break
        if not copy(world, step["first"], rows, step["key"]):
            return stuck(step["first"])
        step = save(world, step["first"] + PAGE)
    return Completion.success(handle="customers")


def cursor_and_key(world: World) -> Completion:
    """Survivor: one record says which page is next and under which key it is copied; the page is
    whole, or it is read again; and the end is where the task says that it is."""
    step = world.store.get("step") or save(world, 0)
    while step["first"] < len(CUSTOMERS):
        rows = read(world, step["first"])
        if rows is None or not copy(world, step["first"], rows, step["key"]):
            return stuck(step["first"])
        step = save(world, step["first"] + PAGE)
    return Completion.success(handle="customers")


VICTIMS = {
    moves_the_cursor_first: ("AF103", "AF109", "AF301"),
    makes_up_a_key: ("AF101", "AF106", "AF109", "AF301"),
    empty_is_the_end: ("AF103", "AF301"),
}
SURVIVORS = (cursor_and_key,)
