"""The threads of an agent's pools, one at a time, in an order that the injector decides.

work_item  a piece of work in a pool
idle       threads that have no work: before it, between two pieces, after it
scheduler  whose turn it is
gate       what an agent's threads come to when they wait
nearby     on which processor a thread of theirs begins
patches    how the waits of `threading`, `queue` and `concurrent.futures` come there
"""
