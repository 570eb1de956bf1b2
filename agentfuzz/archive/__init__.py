"""What lies on disk between two sessions, or passes between two processes.

saved      counterexamples kept from earlier campaigns
crash_log  the plan that is being run, in a file that outlives the process
transport  results as JSON, for a worker to send
"""
