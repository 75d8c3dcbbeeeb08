"""`ai-memory graph`: documents that other programs read, and the picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.cli.output.graph_picture import MOST_NODES, layout
from ai_memory.cli.program import main
from tests.support import neo4j_backend

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


@pytest.mark.parametrize(
    ("name", "begins"),
    [("g.svg", "<svg "), ("G.SVG", "<svg "), ("g.graphml", "<?xml"), ("g.cypher", "MERGE "), ("g.json", "{")],
)
def test_the_ending_of_the_file_chooses_the_format(folder: Path, tmp_path: Path, name: str, begins: str) -> None:
    assert run(folder, "-o", str(tmp_path / name)) == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    assert run(folder, "--format", "json", "-o", str(tmp_path / name)) == 0, "what is said goes before the ending"
    assert json.loads((tmp_path / name).read_text(encoding="utf-8"))["nodes"]


def test_an_ending_that_names_no_format_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "-o", str(tmp_path / "graph.png")) != 0
    assert ".svg" in capsys.readouterr().err
    assert not (tmp_path / "graph.png").exists()


@pytest.fixture
def told(folder: Path, tmp_path: Path) -> dict[str, Any]:
    """The graph as the service reports it, with relations of every kind between entities and memories."""
    with Memory(data_dir=folder, model="none") as memory:
        first = memory.list().memories[0].id
        memory.relate(first, "entity:Anna Petrova", type="ABOUT", weight=0.25, attributes={"why": ['"', {"n": 1}]})
        memory.relate(first, "entity:Anna Petrova", type="ABOUT", valid_from="2026-01-02", evidence=first)
        memory.relate("entity:Acme", "entity:Anna Petrova", type="EMPLOYS", valid_to="2026-01-02T03:04:05+01:00")
    assert run(folder, "--format", "json", "-o", str(tmp_path / "graph.json")) == 0
    found: dict[str, Any] = json.loads((tmp_path / "graph.json").read_text())
    return found


Described = tuple[dict[str, dict[str, str]], dict[str, tuple[str, str, dict[str, Any]]]]
"""Nodes by id; relations by id with their ends and all that is known of them."""


def described(told: dict[str, Any]) -> Described:
    """The graph in the words of the documents: attributes as JSON, and nothing for what is not known."""
    relations = {}
    for edge in told["edges"]:
        known = {name: value for name, value in edge.items() if value not in (None, {})}
        ends = (known.pop("source"), known.pop("target"))
        if "attributes" in known:
            known["attributes"] = json.dumps(known["attributes"], separators=(",", ":"))
        del known["namespace"]
        relations[known.pop("id")] = (*ends, known)
    return {node["id"]: {"kind": node["kind"], "label": node["label"]} for node in told["nodes"]}, relations


def test_networkx_reads_the_node_link_data(told: dict[str, Any]) -> None:
    graph = nx.node_link_graph(told, edges="edges")
    assert isinstance(graph, nx.MultiDiGraph)
    assert {node: dict(values) for node, values in graph.nodes(data=True)} == described(told)[0]
    edges = [{"source": source, "target": target, **values} for source, target, values in graph.edges(data=True)]
    assert sorted(edges, key=lambda edge: edge["id"]) == sorted(told["edges"], key=lambda edge: edge["id"])


def test_networkx_reads_the_graphml(folder: Path, tmp_path: Path, told: dict[str, Any]) -> None:
    assert run(folder, "--format", "graphml", "-o", str(tmp_path / "graph.graphml")) == 0
    graph = nx.read_graphml(tmp_path / "graph.graphml", force_multigraph=True)
    assert graph.is_directed()
    nodes, relations = described(told)
    shown = {
        node: {**values, "label": values["label"].replace("\x07", "\ufffd")}  # which XML has no way to write
        for node, values in nodes.items()
    }
    assert {node: dict(values) for node, values in graph.nodes(data=True)} == shown
    edges = {key: (source, target, dict(values)) for source, target, key, values in graph.edges(keys=True, data=True)}
    assert edges == relations


@pytest.fixture
def database() -> Iterator[Any]:
    """A session on an empty database."""
    import neo4j

    server = neo4j_backend.server("newest")
    neo4j_backend.clean(server)
    with (
        neo4j.GraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver,
        driver.session() as session,
    ):
        yield session
    neo4j_backend.clean(server)


def test_neo4j_makes_the_same_graph_of_the_cypher_script_however_often(
    folder: Path, tmp_path: Path, told: dict[str, Any], database: Any
) -> None:
    assert run(folder, "--format", "cypher", "-o", str(tmp_path / "graph.cypher")) == 0
    statements = (tmp_path / "graph.cypher").read_text(encoding="utf-8").splitlines()
    for _ in range(2):
        for statement in statements:
            database.run(statement).consume()
        assert in_database(database) == described(told)


def in_database(session: Any) -> Described:
    nodes = {}
    for labels, values in session.run("MATCH (n:Memory|Entity) RETURN labels(n), properties(n)").values():
        assert labels == ["Memory" if values["kind"] == "memory" else "Entity"]
        nodes[values.pop("id")] = values
    relations = {}
    for source, target, kind, values in session.run(
        "MATCH (a)-[x]->(b) RETURN a.id, b.id, type(x), properties(x)"
    ).values():
        made = values.pop("id")
        relations[made] = (source, target, {"type": kind, **values})
    return nodes, relations


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
