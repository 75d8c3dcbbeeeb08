"""What runs in the background: embedding, rebuilding vectors, extraction, following the log."""
