"""What memories became in a time, and what becomes of those that have lapsed."""
