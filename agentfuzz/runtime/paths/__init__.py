"""Which error paths of an agent its runs enter: found in its source, watched by probes in its code.

Law: nothing of it changes what an agent does, nor what any other tool sees of it: a probe is one
look into a table, on a line that is executed at that moment anyway.

Not by coverage.py: its tracer (before Python 3.12) makes a campaign twice as long, a second one
beside the user's would take lines from it, its data know no plans and hold what other tests have
executed, and no line says whether a handler of one line was entered, or a loop a second time.
"""
