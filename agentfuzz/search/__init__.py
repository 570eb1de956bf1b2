"""The search: which plans are run, in which order, and what is kept of them.

budget      what a campaign may cost
space       which faults may strike at a crossing
systematic  every plan with one fault, with two, ...; pruning of equal states
pairwise    a covering array of pairs, for an early look at large spaces
guided      three faults and more, and values, grown from what earlier runs have shown
sampling    the same scenario again and again, under other faults
coverage    what came into play, and what never did
runner      one run, counted and written ahead
kept        the violations of a campaign, each by its smallest plan
shrink      from a failing plan to the smallest
verify      replayed and controlled before it is shown
campaign    all of it in order, under one budget
"""
