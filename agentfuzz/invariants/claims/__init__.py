"""The laws of claims (AF3xx): what an agent says against what the world holds."""
