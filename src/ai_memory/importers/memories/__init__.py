"""Exports and databases of other memory programs."""
