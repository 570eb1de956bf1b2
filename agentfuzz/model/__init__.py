"""The simulated model: a participant that plans from a script and reacts to what it is shown.

script     what the model plans: calls, parallel calls, references, a closing
simulated  the participant itself
closings   the words in which models say that they are done
"""
