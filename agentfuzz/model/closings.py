"""Closing phrases: the words in which models say that they are done, more or less.

Law: every phrase here may close a task whose work is really done; which of them a loop
understands must not matter. Used by the `reword` fault (the variant is the index) and by
`agentfuzz.strategies.closings()`. Source: phrases from production logs quoted in Tian Pan,
"'Done!' Is Not a Return Code" (2026). New phrases go to the end: plans name them by index.
"""

CLOSINGS = (
    "I think that covers it.",
    "All done - let me know if you want any changes!",
    "all set",
    "should be good to go",
    "that should do it",
    "I've wrapped that up",
    "done, pending your review",
    "I went ahead and landed the change, though the test for the edge case is still flaky",
)
