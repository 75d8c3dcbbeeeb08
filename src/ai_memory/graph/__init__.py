"""Walking the graph, finding paths in it, and which entities people merged or split."""
