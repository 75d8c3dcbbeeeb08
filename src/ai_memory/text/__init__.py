"""Text by itself: normal form, analysis into terms, passages, properties."""
