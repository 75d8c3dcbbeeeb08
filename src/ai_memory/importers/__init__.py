"""What other programs export, read as lines that an import takes: one reader per format, each pure but for reading its files."""
