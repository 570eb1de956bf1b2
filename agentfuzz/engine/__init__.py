"""One run: from a scenario and an agent to a frozen history.

scenario    the story, its tools and laws
simulation  what many runs share, and the legs of one
ending      how a leg came to its end
single      one run under one plan, judged
child/      an agent in a process of its own
"""
