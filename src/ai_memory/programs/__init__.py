"""The programs that start MCP servers: where each keeps its settings, and what an entry in them looks like."""
