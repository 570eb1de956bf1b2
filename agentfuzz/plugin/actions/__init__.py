"""What a session does in place of tests: explain, begin, write a workflow, try a loop, replay."""
