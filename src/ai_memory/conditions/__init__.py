"""Conditions on attributes, with AND, OR and NOT over all filters: their language, and what they mean."""
