"""What several laws ask of a history, beyond what it answers itself.

Law: a query is a pure function of a history, and imports no law. Asked by the laws.
"""
