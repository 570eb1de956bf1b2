"""The baseline of a project: what it knows, what is gone of it, and what is written into it."""
