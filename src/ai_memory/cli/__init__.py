"""The command line, made from the operations."""
