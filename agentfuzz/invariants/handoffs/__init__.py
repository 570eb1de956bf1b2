"""The laws of handoffs (AF6xx): a task on its way from one agent to another."""
