"""Which error paths of an agent its runs enter: found in its source, watched by probes in its code.

Law: nothing of it changes what an agent does, nor what any other tool sees of it: a probe is one
look into a table, on a line that is executed at that moment anyway.
"""
