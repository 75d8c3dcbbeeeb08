"""Model folders: what is known of each model, where its files are, and its exact facts."""
