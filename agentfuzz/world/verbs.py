"""What words say of a tool: whether it reads or does something, what names one thing, what is text.

Law: a word stands here for what it means of any tool, never for one tool's name. Read by the guess.
"""

import re


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


READS = _set(
    """
    analyse analyze answer ask browse calculate can cat categorise categorize check classify
    compare compute convert count describe detect diff discover display download estimate explain
    explore extract fetch filter find get glob grep has head identify inspect is list load look
    lookup measure monitor parse peek ping predict preview probe query rank read reason recall
    recommend retrieve scan search show sleep sort stat suggest summarise summarize tail test
    think translate validate verify view wait watch
    """
)
WRITES = _set(
    """
    accept activate add alert append apply approve archive assign attach authorise authorize ban
    bash bill block book buy call cancel capture change charge clear click close comment commit
    confirm copy cp create deactivate decline delete deploy deposit destroy detach disable dismiss
    dispatch dm drag drop edit email enable enroll escalate eval evaluate exchange exec execute
    file fill finalise finalize fire flag follow forget fork grant hire insert install invite
    invoice issue join kick kill label launch leave link lock log mail mark merge message mkdir
    modify move mute mv note notify open order page patch pay pin post postpone press provision
    publish purchase purge push put python react record redeem refund register reject remember
    remove rename reopen replace reply report request rerun reschedule reserve reset restart
    restore return revoke rm rollback run save scale schedule sell send set share shell ship sign
    sql star start stop store submit subscribe tag terminal terminate text touch transfer trigger
    tweet type unarchive unassign unblock unfollow uninstall unlink unlock unpin unstar
    unsubscribe untag update upload upsert void vote withdraw write
    """
)
# Verbs that are as often nouns: they say what a tool does only at the beginning of its name.
NOUNS = _set(
    """
    alert answer bill block book call can charge comment commit display email exchange file filter
    flag fork has head invoice is issue label link load lock log mail message note open order page
    pin post press python query record reply report request return run schedule share shell ship
    sign sleep sort sql star start stat stop store tag terminal test text transfer type view vote
    watch
    """
)
# Nouns that are looked at, at the end of a name that has no verb.
LOOKED_AT = _set(
    """
    availability balance contents count detail details diff docs documentation forecast help
    history info information list log logs lookup metadata preview price prices profile quote
    quotes rate rates results schema screenshot search snapshot statistics stats status summary
    tree version weather
    """
)
# What a tool is called besides.
BESIDES = _set("action api endpoint fn function handler tool")
# A name that says two things does what the second one says.
JOINED = _set("and or then")

FREE = _set(
    """
    body comment comments content contents description detail details explanation html
    instructions markdown message metadata note notes options prompt query question reaction
    reason request summary text thought
    """
)
MEASURES = _set(
    """
    amount cents cost count currency days duration height hours limit max min minutes offset page
    price quantity retries seconds size timeout total width
    """
)
NAMING = _set(
    """
    account address code email handle iban id ids key login name no number numbers path paths
    phone ref sha sku slug timestamp ts uri url username uuid
    """
)
# Verbs of what is there already: what names it tells one from another, and new values do not.
CHANGES = _set(
    """
    assign cancel change close delete edit mark merge modify move patch remove rename reopen
    replace reschedule set update upsert
    """
)
# Verbs of what nobody wants twice; what is set, removed or stored twice is as it is once.
TWICE_IS_TOO_OFTEN = _set(
    """
    append bill book buy charge comment deposit dispatch dm email exchange hire invite invoice mail
    message notify order pay post publish purchase redeem refund sell send ship submit text transfer
    tweet vote withdraw
    """
)
ASKED = _set("keyword keywords q query question search topic")
KEYS = _set("idempotencykey")

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def words(name: str) -> list[str]:
    """The words of a name, whatever they are parted by: case, `_`, `-`, `.`, `/`; without a `tool`
    at its end."""
    found = [part.lower() for part in _PARTS.findall(name)]
    while len(found) > 1 and found[-1] in BESIDES:
        found.pop()
    return found


def own_name(name: str) -> str:
    """A tool's name without the server that it comes from (`mcp__github__create_issue`)."""
    if name.startswith("mcp__"):
        return name.split("__", 2)[-1]
    return name
