"""Commands on a whole store: check, copy, re-embed."""
