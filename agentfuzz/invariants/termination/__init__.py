"""The laws of termination (AF2xx): a run ends, in time, once, and says how."""
