"""The paper: what a person, a machine or CI gets to read about a counterexample.

Law: a report adds nothing. One file per format; all of them read the same `Story`, which reads
the same `Counterexample`. Called by the doors; imports nothing of pytest, of Hypothesis or of
the world.
"""
