"""Ends that nobody planned: Ctrl-C, SIGTERM, a timeout, the death of the process."""
