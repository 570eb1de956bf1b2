"""The laws of agents (AF7xx): several that work on one task, beside or for each other."""
