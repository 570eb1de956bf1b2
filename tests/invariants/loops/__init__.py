"""Loops that break laws, and loops that keep them: those that more than one law is shown on.

Law: a victim has one flaw, said in one line, and beside it stands the loop that does without it;
what one law alone needs stands in that law's own test.
"""
