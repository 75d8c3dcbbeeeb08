"""The store on a Neo4j server: a memory model that Cypher can read. See docs/neo4j.md."""
