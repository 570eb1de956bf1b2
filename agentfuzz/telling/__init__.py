"""The telling: a counterexample, or a single run, in words and lines, before any format.

story     one counterexample in words and rows, which every format of a report tells
troubles  what in a plan makes an agent fail
causes    findings, by their cause
names     names of tests, as short as they are clear
block     the lines of a cause, and of a run, as a terminal shows them

Law: nothing is said that is not in what is told, and a terminal shows the same whether it was a
campaign that found it or somebody who printed a run. Pure; stands above the boundaries, which say
their faults, and below the engine, whose runs print themselves, and the reports.
"""
