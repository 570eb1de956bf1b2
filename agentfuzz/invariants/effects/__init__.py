"""The laws of effects and keys (AF1xx): what really happened, how often, and under which key."""
