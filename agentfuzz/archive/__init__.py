"""What lies on disk between two sessions, or passes between two processes.

saved      counterexamples kept from earlier campaigns
baseline   the causes that a project knows already, in a file of its repository
crash_log  the plan that is being run, in a file that outlives the process
transport  results as JSON, for a worker to send
"""
