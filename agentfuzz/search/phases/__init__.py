"""The phases of a campaign, in their order, and what each proves.

again       earlier plans a second time: does the agent keep something between runs?
systematic  every plan with one fault, with two, ...; pruning of equal states
levels      one such level after the other, and what is told of it
foresight   what a level is about to ask for, told to those who make runs ahead
walked      what a campaign proves by not finding a bug again
inputs      other inputs than the simplest
pairwise    a covering array of pairs, for an early look at large spaces
guided      three faults and more, and values, grown from what earlier runs have shown
sampling    the same scenario again and again, under other faults
"""
