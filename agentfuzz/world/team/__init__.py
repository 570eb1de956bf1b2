"""Several agents in one world: who acts, handoffs between them, children, what they share.

Law: agents of one run meet only in here and in the tools' backend; all that passes between them is
an event, and what may go wrong on the way is a fault of the boundary `handoff` or `child`.
`surface` is what users see of it on a World.
"""
