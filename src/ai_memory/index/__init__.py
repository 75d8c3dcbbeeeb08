"""In-memory indexes, derived from the store."""
