"""What a text says about named things, read without a language model: mentions, times, statements, and who is who."""
