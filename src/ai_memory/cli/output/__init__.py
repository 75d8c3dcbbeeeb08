"""What commands print: tables, colours, progress, pictures and graph files."""
