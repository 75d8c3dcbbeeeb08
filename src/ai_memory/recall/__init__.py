"""From a question to ranked, explained hits: pure functions over the index contracts."""
