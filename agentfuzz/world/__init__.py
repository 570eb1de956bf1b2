"""The world that an agent meets, and what truly happens in it.

world            what agents and scenario authors see
gateway          all that passes between the two, as a Protocol; local: in this process
toolbox, tools   the tools in an agent's hand, and what was declared of them
calls, delivery  the life of a call, and of its request
backend          where it is recognised or carried out, and committed
reply_faults     what a damaged or missing reply looks like
process          the agent's process; process_faults/: what may happen to it, one file a kind
store            what outlives that process
injector         asked at every crossing whether there is a fault
log              where events are written
"""
