"""Executors: where the runs of a campaign are made.

Law: the campaign asks for runs in its own order and counts them in that order; an executor may
have made them already, elsewhere and in another order. What it cannot give, the campaign makes
itself. So the same campaign has the same result by every executor.
"""
