"""The search: which plans are run, in which order, and what is kept of them.

space       which faults may strike at a crossing
systematic  every plan with one fault, with two, ...; pruning of equal states
covering    a covering array of pairs, for an early look at large spaces
guided      three faults and more, and values, grown from what earlier runs have shown
consistency the same scenario again and again, under other faults
coverage    what came into play, and what never did
shrink      from a failing plan to the smallest
campaign    all of it in order, under one budget
saved       counterexamples kept from earlier campaigns
result      what a campaign found and covered
"""
