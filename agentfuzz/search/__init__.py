"""The search: which plans are run, in which order, and what is kept of them.

budget       what a campaign may cost, and what is left of it
space        which faults may strike at a crossing, and how early each is tried
systematic   every plan with one fault, with two, ...; pruning of equal states
levels       one such level after the other, and what is told of it
walked       what a campaign proves by not finding a bug again
pairwise     a covering array of pairs, for an early look at large spaces
guided       three faults and more, and values, grown from what earlier runs have shown
again        earlier plans a second time: does the agent keep something between runs?
sampling     the same scenario again and again, under other faults
coverage     what came into play, and what never did
memo/        runs that are made without the agent, where it is known what it does
runner       one run, counted and written ahead
saved_plans  what was found before, run first
kept         the violations of a campaign, one for each cause, each by its smallest plan
shrink       from a failing plan to the smallest
verify       replayed and controlled before it is shown
two_histories
             the finding that a plan did not give the same run twice
escaped      what escaped control, in words
account      what the runs of a campaign came to
campaign     all of it in order, under one budget
"""
