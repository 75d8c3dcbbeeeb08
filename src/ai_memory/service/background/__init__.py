"""What runs beside the requests: embedding, rebuilding vectors, extraction, following the log."""
