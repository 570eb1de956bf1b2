"""JSON schemas as a simulated model reads them: a value that fits, and whether one does.

value      the simplest value of a schema
fits       whether a value is one of a schema
merged     a schema with what it refers to and combines put into one
pattern    a text that a regular expression matches
"""
