"""Handlers of the operations on relations and entities, and the graph as recall and other handlers see it."""
