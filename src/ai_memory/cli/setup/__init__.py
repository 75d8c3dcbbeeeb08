"""Programs that speak MCP: where each has its settings, and how the service is entered there and taken out again."""
