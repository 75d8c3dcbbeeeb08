"""The MCP surface, made from the operations."""
