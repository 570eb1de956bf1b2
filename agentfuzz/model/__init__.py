"""The simulated model: a participant that plans from a script and reacts to what it is shown.

script     what the model plans: calls, parallel calls, references, a closing
simulated  the participant itself
misbehave  what a model fault makes of a turn
closings   the words in which models say that they are done, or not, with the ground truth
grammar    how those words are made, in eight languages (phrases/)
"""
