"""A picture of a graph for a person to look at: SVG, laid out by forces, the same for the same graph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.cli.output.graph_documents import xml_text
from ai_memory.operations.graph import Graph, GraphNode
from ai_memory.types import Relation, RelationType

MOST_NODES = 300
"""A person sees nothing in a picture of more, and the layout looks at each pair of them."""
_ROUNDS = 400
_ROOM = 26_000.0
"""Square pixels a node."""
_MARGIN = 90
_LABEL_CHARACTERS = 24
_COLOURS = {
    "memory": "#8a94a6",
    "person": "#d1495b",
    "organisation": "#2e6f95",
    "place": "#3a7d44",
    "product": "#7b4fa3",
    "thing": "#b8860b",
}
_OTHER = "#5f7a76"


def svg(graph: Graph) -> str:
    """The picture: discs are things, squares are memories, lines without a word are mentions; for at most `MOST_NODES` nodes."""
    return "\n".join(_svg(graph)) + "\n"


def layout(count: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Places of `count` nodes, shape (count, 2), in pixels about (0, 0), by Fruchterman and Reingold's forces (1991).

    All nodes push each other away, joined ones pull, and all are drawn to the middle, so that separate parts stay in sight.
    """
    if count == 0:
        return np.zeros((0, 2))
    turn = np.arange(count) * math.pi * (3 - math.sqrt(5))
    side = math.sqrt(_ROOM * count)
    places = (
        side / 2 * np.sqrt((np.arange(count) + 0.5) / count)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    )
    ends = np.array(sorted({(min(pair), max(pair)) for pair in pairs}), dtype=np.int64).reshape(-1, 2)
    wanted = math.sqrt(_ROOM) * 0.8
    for step in range(_ROUNDS):
        apart = places[:, None, :] - places[None, :, :]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 1.0)
        force = (apart * (wanted**2 / distance**2)[..., None]).sum(axis=1)
        along = places[ends[:, 0]] - places[ends[:, 1]]
        pull = along * (np.hypot(along[:, 0], along[:, 1]) / wanted)[:, None]
        np.add.at(force, ends[:, 0], -pull)
        np.add.at(force, ends[:, 1], pull)
        force -= places * 0.9
        length = np.maximum(np.hypot(force[:, 0], force[:, 1]), 1e-9)
        limit = side / 10 * (1 - step / _ROUNDS)
        places += force * (np.minimum(length, limit) / length)[:, None]
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    centred: NDArray[np.float64] = places - middle
    return centred


def _svg(graph: Graph) -> Iterator[str]:
    nodes, edges = graph.nodes, graph.edges
    number = {node.id: place for place, node in enumerate(nodes)}
    pairs = [(number[edge.source], number[edge.target]) for edge in edges]
    places = layout(len(nodes), pairs)
    width, height = (np.ptp(places, axis=0) + 2 * _MARGIN if len(nodes) else np.array([400, 200])).round().tolist()
    width, height = max(width, 400), max(height, 200)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height + 30:.0f}" '
        f'viewBox="{-width / 2:.0f} {-height / 2:.0f} {width:.0f} {height + 30:.0f}" '
        'font-family="system-ui, sans-serif" font-size="12">'
    )
    yield f'<rect x="{-width / 2:.0f}" y="{-height / 2:.0f}" width="100%" height="100%" fill="#ffffff"/>'
    yield (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>'
    )
    for edge, (source, target) in zip(edges, pairs, strict=True):
        yield from _edge(edge, places[source], places[target])
    for node, place in zip(nodes, places, strict=True):
        yield from _node(node.kind, node.label, place)
    if not nodes:
        yield _text(0, 0, "nothing is related here yet", "#555")
    yield from _legend(nodes, -width / 2 + 16, height / 2 + 12)
    yield "</svg>"


def _edge(edge: Relation, source: NDArray[np.float64], target: NDArray[np.float64]) -> Iterator[str]:
    mentions = edge.type == RelationType.MENTIONS
    along = target - source
    end = target - along * min(0.45, 11 / max(float(np.hypot(*along)), 1e-9))
    look = 'stroke="#c9ced6"' if mentions else 'stroke="#555" stroke-width="1.4" marker-end="url(#tip)"'
    yield f'<line x1="{source[0]:.1f}" y1="{source[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" {look}/>'
    if not mentions:
        x, y = (source + target) / 2
        dates = " – ".join(f"{day:%Y-%m-%d}" if day else "" for day in (edge.valid_from, edge.valid_to))
        yield _text(
            x,
            y - 3,
            edge.type.replace("_", " ").lower() + (f" {dates.strip()}" if dates.strip(" –") else ""),
            "#555",
            10,
        )


def _node(kind: str, label: str, place: NDArray[np.float64]) -> Iterator[str]:
    x, y = place
    colour = _COLOURS.get(kind, _OTHER)
    title = f"<title>{xml_text(f'{kind}: {label}')}</title>"
    if kind == "memory":
        yield f'<rect x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12" rx="2" fill="{colour}">{title}</rect>'
    else:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="{colour}">{title}</circle>'
    short = " ".join(label.split())
    short = short if len(short) <= _LABEL_CHARACTERS else short[: _LABEL_CHARACTERS - 1] + "…"
    size = 10 if kind == "memory" else 12
    yield _text(x, y + 20, short, "#6b7280" if kind == "memory" else "#111827", size)


def _text(x: float, y: float, text: str, colour: str, size: int = 12, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" stroke="#ffffff" '
        f'stroke-width="3" paint-order="stroke">{xml_text(text)}</text>'
    )


def _legend(nodes: Sequence[GraphNode], x: float, y: float) -> Iterator[str]:
    for kind in sorted({node.kind for node in nodes}):
        yield f'<circle cx="{x:.1f}" cy="{y - 4:.1f}" r="5" fill="{_COLOURS.get(kind, _OTHER)}"/>'
        yield _text(x + 10, y, kind, "#333", 11, "start")
        x += 26 + 7 * len(kind)
