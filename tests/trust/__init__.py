"""Whole loops, honest and broken, of shapes that working engineers write: what agentfuzz says of
each is what a person can trust."""
