"""Secrets: what looks like one, and what stands in its place.

patterns    the names and forms of secrets
finder      the secrets of a text, also where it is encoded
redaction   a result without them
"""
