"""`ai-memory graph`: documents that other programs read, and the picture."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.cli.graph_picture import MOST_NODES, layout
from ai_memory.cli.program import main

ODD = 'Anna Petrova said "a < b & c\\d" \x07 \u202e🙂 in Berlin.'
GRAPHML = {"g": "http://graphml.graphdrawing.org/xmlns"}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Memory(data_dir=tmp_path / "data", model="none") as memory:
        memory.remember("Anna Petrova works at Acme since May 2025.")
        memory.remember(ODD)
    return tmp_path / "data"


def run(folder: Path, *words: str) -> int:
    return main(["--data-dir", str(folder), "graph", *words])


def test_graphml_holds_every_node_and_relation(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--format", "graphml", "-o", str(tmp_path / "graph.graphml")) == 0
    assert run(folder, "--format", "json", "-o", str(tmp_path / "graph.json")) == 0
    told = json.loads((tmp_path / "graph.json").read_text())
    tree = ElementTree.parse(tmp_path / "graph.graphml")
    nodes = {
        node.attrib["id"]: {data.attrib["key"]: data.text for data in node}
        for node in tree.iterfind(".//g:node", GRAPHML)
    }
    assert {key: (value["node_kind"], value["node_label"]) for key, value in nodes.items()} == {
        node["id"]: (node["kind"], node["label"].replace("\x07", "\ufffd")) for node in told["nodes"]
    }
    edges = [(edge.attrib["source"], edge.attrib["target"]) for edge in tree.iterfind(".//g:edge", GRAPHML)]
    assert edges == [(edge["source"], edge["target"]) for edge in told["edges"]]
    assert len(edges) == 5, "four mentions and a statement"


def test_the_cypher_script_has_a_statement_for_each_and_no_text_breaks_out(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--format", "cypher") == 0
    lines = capfd.readouterr().out.splitlines()
    literal = r'"(?:[^"\\]|\\.)*"'
    node = re.compile(
        rf"MERGE \(n:(Memory|Entity) \{{id: {literal}\}}\) SET n\.kind = {literal}, n\.label = {literal};"
    )
    edge = re.compile(
        rf"MATCH \(a \{{id: {literal}\}}\), \(b \{{id: {literal}\}}\) MERGE \(a\)-\[x:`[A-Z_]+` \{{id: {literal}\}}\]->\(b\) "
        rf"SET (x\.\w+ = (?:{literal}|[\d.]+)(, )?)+;"
    )
    assert [bool(node.fullmatch(line)) for line in lines].count(True) == 5
    assert [bool(edge.fullmatch(line)) for line in lines].count(True) == 5
    assert len(lines) == 10


def test_the_picture_shows_every_name(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--svg", str(tmp_path / "graph.svg")) == 0
    tree = ElementTree.parse(tmp_path / "graph.svg")
    texts = {text.text for text in tree.iter(f"{SVG}text")}
    assert {"Anna Petrova", "Acme", "Berlin", "works at 2025-05-01 –"} <= texts
    assert len(list(tree.iter(f"{SVG}line"))) == 5


def test_an_empty_namespace_gives_whole_documents(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for kind in ("graphml", "svg"):
        assert main(["--data-dir", str(folder), "--namespace", "empty", "graph", "--format", kind]) == 0
        assert ElementTree.fromstring(capfd.readouterr().out) is not None
    assert main(["--data-dir", str(folder), "--namespace", "empty", "graph", "--format", "cypher"]) == 0
    assert capfd.readouterr().out == ""


def test_what_cannot_be_drawn_or_written_is_said(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--svg", str(tmp_path / "a.svg"), "--limit", str(MOST_NODES + 1)) != 0
    assert f"{MOST_NODES} nodes at most" in capfd.readouterr().err
    assert run(folder, "--svg", str(tmp_path / "nowhere" / "a.svg")) != 0
    assert "cannot be written" in capfd.readouterr().err
    assert list(tmp_path.glob("*.svg")) == []


def test_a_layout_is_the_same_each_time_and_keeps_nodes_apart() -> None:
    pairs = [(0, each) for each in range(1, 30)] + [(1, 2), (2, 3)]
    places = layout(40, pairs)
    assert np.array_equal(places, layout(40, pairs))
    apart = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1)) + np.eye(40) * 1e9
    assert np.isfinite(places).all()
    assert apart.min() > 20
    joined = np.mean([np.hypot(*(places[a] - places[b])) for a, b in pairs])
    assert joined < np.mean(apart[apart < 1e8])
    assert layout(0, []).shape == (0, 2)
