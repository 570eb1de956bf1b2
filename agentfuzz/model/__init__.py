"""The simulated model: a participant that plans from a script and reacts to what it is shown.

script         what the model plans: calls, parallel calls, references, a closing
behaviour      how it behaves towards errors, lost results and new messages
reading        what the messages show it
simulated      the participant itself
model_faults/  how it misbehaves, one file a kind
closings       the words in which models say that they are done, or not, with the ground truth
grammar        how those words are made, in eight languages (phrases/)
cassettes/     recorded conversations as its plans
"""
