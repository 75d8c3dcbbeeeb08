"""The words of hints: ways out for the reader of each surface, and which name was meant."""
