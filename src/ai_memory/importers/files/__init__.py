"""Files of notes, tables and JSON: which is which, and what is in them."""
