"""The reference loop: the smallest orchestrator that keeps every law of agentfuzz together."""
