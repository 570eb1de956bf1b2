"""The machine under a run: virtual time, threads, watchdog, isolation.

clock          the one clock of a run; virtual_time: it in the place of the real ones
eventloop      asyncio on that clock; async_library: asyncio or trio
thread_pools/  the threads of pools, one at a time
watchdog       ends what spins; watchdog_thread: where there is no timer to have
isolation      what one run could leak into the next
leaks          what escapes control, and is named
user_code      whose code a frame is
"""
