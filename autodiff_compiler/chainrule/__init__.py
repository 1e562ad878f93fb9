"""The chain rule of both passes: from a result to an argument, and its shortcuts."""
