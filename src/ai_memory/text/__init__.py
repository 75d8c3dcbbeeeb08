"""Text in its own right: normal form, analysis into terms, passages."""
