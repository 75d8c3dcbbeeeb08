"""Names of people, organisations, products and places in a text."""
