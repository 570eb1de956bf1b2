"""The machine under a run: virtual time, threads, watchdog, isolation.

clock          the one clock of a run; virtual_time: it in the place of the real ones
eventloop      asyncio on that clock; async_library: asyncio or trio
virtual_selector what a loop waits with; children, connections, outstanding: who answers
thread_pools/  the threads of pools, one at a time
imports        a module that is first imported in a run
watchdog       ends what spins; watchdog_thread, last_resort: where its timer does not help
stack          where an agent is
isolation      what one run could leak into the next; surroundings, loggers: what there is
forks          a child process that comes back
leaks          what escapes control, and is named
user_code      whose code a frame is
"""
