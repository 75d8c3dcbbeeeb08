"""What a text says about named entities, read without a language model: mentions, times, statements, and who is who."""
