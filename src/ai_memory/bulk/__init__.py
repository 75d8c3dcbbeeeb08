"""Embeds files: records in, vectors out; a killed run is resumed."""
