"""Handlers of the operations that keep a service in order."""
