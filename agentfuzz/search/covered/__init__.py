"""What a campaign has covered, and what it has not.

coverage  what came into play, and what never did
cells     what came of each fault at each slot
reached   error paths of the agent that were entered, and what came nearest to the others
unjudged  what no law can judge of a run without faults
"""
