"""What becomes of a violation: kept, made small, confirmed, and run first from then on.

kept         one for each cause, each by its smallest plan
seen         what shows it again while it is made small
shrink       from a failing plan to the smallest
slicing      from many agents to the few that make it
verify       replayed and controlled before it is shown
died         a process that died under a plan
saved_plans  what was found before
"""
