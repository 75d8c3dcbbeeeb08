"""Embedding files: records in, vectors out, resumed where a killed run ended."""
