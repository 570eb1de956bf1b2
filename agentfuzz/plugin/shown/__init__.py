"""What a session shows on the terminal: its progress, its causes, its summary."""
