"""A campaign in parts: on several machines, or from one session to the next.

dealing    which plans of its last level a part runs, and which others have run for it
shards     one of N parts, and the merge that folds them all
continued  a campaign that goes on where the last session's budget ended
"""
