"""The search: which plans are run, in which order, and what is kept of them.

campaign   all of it in order, under one budget
account    what the runs of a campaign came to
found/     what becomes of a violation: kept, shrunk, confirmed, and run first from then on
phases/    every plan with one fault, with two, a covering array, guided growth, sampling
parts/     a campaign on several machines, or from one session to the next
runner     one run, counted and written ahead
maker      where each run comes from: made here, ahead, or without the agent
memo/      runs that are made without the agent, where it is known what it does
executors/ runs that are made ahead: by other processes, or on a cluster
covered/   what came into play, and what never did
space      which faults may strike at a crossing, and how early each is tried
states     what a run had come to when its last fault was over
stories    a scenario with each of its inputs, and the run without faults that belongs to it
budget     what a campaign may cost, and what is left of it
two_histories, watched, escaped
           what did not replay, an agent that saw the watch, and what escaped control
outcome, progress
           one run as a value; where the campaign is
"""
