"""Tests of the search: its laws, its determinism, its budget, and the traps of others."""
