"""The operations' handlers, one module for each group of operations."""
