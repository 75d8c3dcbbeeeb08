"""The SQLite file itself: connections, the writer, and secure deletion."""
