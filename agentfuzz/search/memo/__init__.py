"""The memo: what an agent does after what it sees, so that it is asked but once.

values   what is kept of a value, and how two are told apart
shared   what the code of an agent and that of its tools both name
sight    what an agent looks at beside replies: world.state, and what lies on its world
tape     what one real run did and saw
recorder the gateway that writes the tape
taping   an agent that is taped, and what of it goes to the memo
tree     what all tapes have in common: action -> what was seen -> the next action
walker   the agent that follows the tree against the real world
audit    which answers are made again by the real agent
memo     all of it for one agent, with counts and reasons
beside   the same where other processes make the runs
"""
