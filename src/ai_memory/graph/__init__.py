"""Walking the graph, and which entities people merged or split."""
