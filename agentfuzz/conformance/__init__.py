"""Conformance: which laws a loop keeps in the bundled stories, law by law.

loop      what `module:callable` is read as: an agent
stories   the bundled stories, each made ready for a loop that somebody else wrote
trial     one loop in one story, and in all of them
table     what came of it: frozen records
badge     a picture of it, for a README
formats/  the table as text, JSON, Markdown and HTML
"""
