"""Taps: tools that an application has already, tapped where they are defined.

    tap          a function of an application as a tool of a world
    hidden       which of its parameters are no business of the model
    decorators   the functions that an application hands to its framework, noted as it does
    looking      those that a framework has in its hands already
    surface      what a World shows of taps

Law: the application is not changed; when a run is over its functions are what they were.
"""
