"""A picture of a graph: SVG, laid out by forces, the same for the same graph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory import svg
from ai_memory.operations.graph import Graph, GraphNode
from ai_memory.types import Relation, RelationType

MOST_NODES = 300
"""A larger picture cannot be read, and the layout compares each pair of nodes."""
_ROUNDS = 400
_ROOM = 26_000.0
"""Square pixels per node."""
_MARGIN = 90
_LEAST = (400.0, 200.0)
"""Width and height of the smallest picture."""
_LEGEND = 30
"""Height of the legend."""
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


def draw(graph: Graph) -> str:
    """The picture: discs are entities, squares are memories, unlabelled lines are mentions; for at most `MOST_NODES` nodes."""
    places = layout(len(graph.nodes), _pairs(graph)).round(1)
    width, height = _size(places)
    box = (-width / 2, -height / 2, width, height + _LEGEND)
    return (
        svg.document(
            box,
            *_parts(graph, places),
            width=width,
            height=height + _LEGEND,
            font_family="system-ui, sans-serif",
            font_size=12,
        )
        + "\n"
    )


def layout(count: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Positions of `count` nodes, float64 of shape (count, 2), in pixels around (0, 0), by Fruchterman and Reingold (1991).

    All nodes repel each other, connected ones attract, and all are drawn to the middle, so that separate parts stay visible.
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


def _pairs(graph: Graph) -> list[tuple[int, int]]:
    """Source and target of each edge, as indexes of nodes."""
    index = {node.id: place for place, node in enumerate(graph.nodes)}
    return [(index[edge.source], index[edge.target]) for edge in graph.edges]


def _parts(graph: Graph, places: NDArray[np.float64]) -> Iterator[str]:
    nodes, edges, pairs = graph.nodes, graph.edges, _pairs(graph)
    width, height = _size(places)
    yield svg.rect(-width / 2, -height / 2, width, height + _LEGEND, fill="#ffffff")
    yield svg.arrow_head("tip", fill="#555")
    for edge, (source, target) in zip(edges, pairs, strict=True):
        yield from _edge(edge, places[source], places[target])
    for node, place in zip(nodes, places, strict=True):
        yield from _node(node.kind, node.label, place)
    if not nodes:
        yield _text(0, 0, "nothing is related here yet", "#555")
    yield from _legend(nodes, -width / 2 + 16, height / 2 + 12)


def _size(places: NDArray[np.float64]) -> tuple[float, float]:
    """Width and height around the nodes, in pixels, without the legend."""
    if not len(places):
        return _LEAST
    width, height = (np.ptp(places, axis=0) + 2 * _MARGIN).round().tolist()
    return max(width, _LEAST[0]), max(height, _LEAST[1])


def _edge(edge: Relation, source: NDArray[np.float64], target: NDArray[np.float64]) -> Iterator[str]:
    along = target - source
    end = target - along * min(0.45, 11 / max(float(np.hypot(*along)), 1e-9))
    ends = (*source.tolist(), *end.round(1).tolist())
    if edge.type == RelationType.MENTIONS:
        yield svg.line(*ends, stroke="#c9ced6")
        return
    yield svg.line(*ends, stroke="#555", stroke_width=1.4, marker_end="url(#tip)")
    x, y = ((source + target) / 2).round(1).tolist()
    dates = " – ".join(f"{day:%Y-%m-%d}" if day else "" for day in (edge.valid_from, edge.valid_to))
    name = edge.type.replace("_", " ").lower() + (f" {dates.strip()}" if dates.strip(" –") else "")
    yield _text(x, y - 3, name, "#555", 10)


def _node(kind: str, label: str, place: NDArray[np.float64]) -> Iterator[str]:
    x, y = place.tolist()
    colour = _COLOURS.get(kind, _OTHER)
    title = svg.title(f"{kind}: {label}")
    if kind == "memory":
        yield svg.rect(x - 6, y - 6, 12, 12, title, rx=2, fill=colour)
    else:
        yield svg.element("circle", title, cx=x, cy=y, r=8, fill=colour)
    short = " ".join(label.split())
    short = short if len(short) <= _LABEL_CHARACTERS else short[: _LABEL_CHARACTERS - 1] + "…"
    size = 10 if kind == "memory" else 12
    yield _text(x, y + 20, short, "#6b7280" if kind == "memory" else "#111827", size)


def _text(x: float, y: float, text: str, colour: str, size: int = 12, anchor: str = "middle") -> str:
    """Text on a white outline, so that it can be read on lines."""
    return svg.text(
        x,
        y,
        text,
        font_size=size,
        text_anchor=anchor,
        fill=colour,
        stroke="#ffffff",
        stroke_width=3,
        paint_order="stroke",
    )


def _legend(nodes: Sequence[GraphNode], x: float, y: float) -> Iterator[str]:
    for kind in sorted({node.kind for node in nodes}):
        yield svg.element("circle", cx=x, cy=y - 4, r=5, fill=_COLOURS.get(kind, _OTHER))
        yield _text(x + 10, y, kind, "#333", 11, "start")
        x += 26 + 7 * len(kind)
