"""The demo: campaigns on a hand-written loop and on two real frameworks with default settings."""
