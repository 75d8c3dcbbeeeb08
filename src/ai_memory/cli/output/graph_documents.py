"""A graph as a document for other programs: GraphML (Gephi, yEd, networkx) and a Cypher script (Neo4j)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

import msgspec

from ai_memory.operations.base import to_json
from ai_memory.operations.graph import Graph
from ai_memory.svg import escape
from ai_memory.types import Relation

_NODE_KEYS = ("kind", "label")
_EDGE_KEYS = ("type", "weight", "valid_from", "valid_to", "recorded_at", "evidence", "attributes", "actor")


def graphml(graph: Graph) -> str:
    """The graph in GraphML (http://graphml.graphdrawing.org): directed, instants in RFC 3339, attributes as JSON."""
    return "\n".join(_graphml(graph)) + "\n"


def _graphml(graph: Graph) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for owner, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for name in keys:
            kind = "double" if name == "weight" else "string"
            yield f'<key id="{owner}_{name}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>'
    yield '<graph edgedefault="directed">'
    for node in graph.nodes:
        data = "".join(
            f'<data key="node_{name}">{escape(value)}</data>'
            for name, value in ((name, getattr(node, name)) for name in _NODE_KEYS)
        )
        yield f"<node id={quoteattr(node.id)}>{data}</node>"
    for edge in graph.edges:
        data = "".join(f'<data key="edge_{name}">{escape(value)}</data>' for name, value in _edge_values(edge).items())
        yield f"<edge id={quoteattr(edge.id)} source={quoteattr(edge.source)} target={quoteattr(edge.target)}>{data}</edge>"
    yield "</graph>\n</graphml>"


def _edge_values(edge: Relation) -> dict[str, str]:
    """The values of an edge as strings, without those that it does not have."""
    values = msgspec.to_builtins(edge)
    return {
        name: value if isinstance(value := values[name], str) else to_json(value).decode()
        for name in _EDGE_KEYS
        if values[name] not in (None, {})
    }


def cypher(graph: Graph) -> str:
    """A script that makes the graph in Neo4j: `:Memory` and `:Entity` nodes, one relationship per edge.

    Running it twice changes nothing more.
    """
    lines = [
        f"MERGE (n:{'Memory' if node.kind == 'memory' else 'Entity'} {{id: {_literal(node.id)}}}) "
        f"SET n.kind = {_literal(node.kind)}, n.label = {_literal(node.label)};"
        for node in graph.nodes
    ]
    for edge in graph.edges:
        values = {
            name: edge.weight if name == "weight" else value
            for name, value in _edge_values(edge).items()
            if name != "type"
        }
        set_values = ", ".join(f"x.{name} = {_literal(value)}" for name, value in values.items())
        lines.append(
            f"MATCH (a {{id: {_literal(edge.source)}}}), (b {{id: {_literal(edge.target)}}}) "
            f"MERGE (a)-[x:`{edge.type}` {{id: {_literal(edge.id)}}}]->(b) SET {set_values};"
        )
    return "\n".join(lines) + "\n" if lines else ""


def _literal(value: str | float) -> str:
    """A Cypher literal; JSON's escapes in strings are valid in Cypher."""
    return to_json(value).decode()
