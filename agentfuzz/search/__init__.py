"""The search: which plans are run, in which order, and what is kept of them.

space       which faults may strike at a crossing
systematic  every plan with one fault, with two, ...; pruning of equal states
covering    a covering array of pairs, for an early look at large spaces
deep        three faults and more, and values, through Hypothesis (nowhere else)
coverage    what came into play, and what never did
shrink      from a failing plan to the smallest
campaign    all of it in order, under one budget
saved       counterexamples kept from earlier campaigns
result      what a campaign found and covered
"""
