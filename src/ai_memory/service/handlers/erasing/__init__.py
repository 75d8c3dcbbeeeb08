"""Erasing memories: one, by filter, or all about someone; and which names leave with them."""
