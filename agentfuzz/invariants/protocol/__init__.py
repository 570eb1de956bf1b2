"""The laws of protocol (AF4xx): calls and results, decisions and interrupts, errors and logs."""
