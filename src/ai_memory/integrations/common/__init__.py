"""What the adapters have in common; needs none of the frameworks."""
