"""AI Memory Service: long-term memory for AI agents, on the user's own machine."""

__version__ = "0.1.0"
