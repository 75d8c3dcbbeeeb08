"""The service behind every surface: handlers of operations over one store, and the workers in the background."""
