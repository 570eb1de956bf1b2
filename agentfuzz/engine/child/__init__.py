"""An agent in a process of its own: each leg is forked, and a crash is a real SIGKILL.

process  the child's life, as the run sees it
pipe     whole messages between the two
host     what the child asks is done here, in the one true world
stub     the gateway of the world, as the child has it
"""
