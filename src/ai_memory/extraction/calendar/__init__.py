"""Calendar expressions in English and Russian, and the intervals that they name."""
