"""Calendar expressions in English, Russian, German, Spanish, French and Chinese, and the intervals that they name."""
