"""The words that everything else is said in: frozen data, and no engine.

events, history   what happened in a run, and what a history can be asked
faults, plan      slots, faults, fault plans and their text; selection: `only=` and `exclude=`
tables            which faults there are, by boundary (generated)
completion        how a task ended, as an event
verdict           what a law says; findings: what a campaign found and covered
codes, code_table every code with its title; pages/: the page of each
codec, migrations values and histories as JSON, and those of older versions
locations         places in code, as reports name them
escaping, lanes/  text that is safe to show; a history drawn as a sequence
errors            every exception that is raised on purpose
"""
