"""The boundary of commands: what comes while a sync agent waits for a child process."""

from agentfuzz.boundaries.boundary import Boundary, Page, once

_WORDS = {"ctrl_c": "somebody presses Ctrl-C, which does not reach it"}

BOUNDARY = Boundary(
    name="command",
    axes=(("ends", *_WORDS),),
    off=frozenset({("ctrl_c",)}),
    groups={"command": once},
    place=lambda slot: f"while command {slot.nth} called {slot.name} runs",
    says=lambda fault: _WORDS[fault.axes[0]],
    told=Page(
        "Commands",
        "`command:program#nth:ctrl_c`",
        {
            ("kind", "while the agent waits for a process"): {
                "ends": "it ends, and nothing else happens: no fault",
                "ctrl_c": 'somebody presses Ctrl-C (tried with `faults=("ctrl_c",)`, and in '
                "[tests that exist](existing-tests.md)), and the process is in a group of its own",
            }
        },
    ),
)
