"""The Neo4j database itself: its address, connections and schema."""
