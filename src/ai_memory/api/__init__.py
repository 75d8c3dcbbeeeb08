"""The REST surface, made from the operations."""
