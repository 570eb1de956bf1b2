"""The reference loop: the smallest orchestrator that keeps every law of agentfuzz together.

Read `contract` (the words), `journal` (what is written down), `steps` (one call until its outcome
is known), `loop` (turns), `handoff` (between two loops); `adapter` binds it to an agentfuzz world.
"""
