"""Handlers of proposals and feedback, and what a new memory touches."""
