"""Durable stores behind one contract."""
