"""Output of the commands: tables, colours, progress, pictures and graph files."""
