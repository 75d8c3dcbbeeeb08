"""What goes through a whole store: its checks, and reading or filling all of it."""
