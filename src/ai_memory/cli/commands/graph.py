"""`graph`: shows nodes and relations, writes them for other programs, or draws them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.files.written import written
from ai_memory.cli.options import add_fields
from ai_memory.cli.output import graph_documents, show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.installation import require_service
from ai_memory.operations.base import Operation, parse, to_json
from ai_memory.operations.graph import GRAPH, Graph, GraphRequest


def _picture(graph: Graph) -> str:
    from ai_memory.cli.output import graph_picture  # loads numpy, which the client alone does not have

    return graph_picture.draw(graph)


_FORMATS = {
    "json": lambda graph: to_json(graph).decode(),
    "graphml": graph_documents.graphml,
    "cypher": graph_documents.cypher,
    "svg": _picture,
}


_ENDINGS = {".json": "json", ".graphml": "graphml", ".cypher": "cypher", ".cql": "cypher", ".svg": "svg"}
"""The format of a document by the ending of its file's name."""


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The request's fields, and the output format."""
    assert operation.command is not None
    add_fields(parser, operation.request, operation.command)
    parser.add_argument(
        "--format",
        choices=sorted(_FORMATS),
        help="write a document: node-link JSON, GraphML, a Cypher script or a picture",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write it to a file instead of standard output; its ending chooses the format: .svg, .graphml, .cypher or .json",
    )
    parser.add_argument("--svg", metavar="FILE", help="draw a picture into a file: --format svg --output FILE")
    parser.set_defaults(operation=operation)


def _check_size(limit: int) -> None:
    from ai_memory.cli.output.graph_picture import MOST_NODES

    if limit > MOST_NODES:
        raise TooLargeError(
            f"a picture shows {MOST_NODES} nodes at most, not {limit}",
            hint="lower --limit, or use --format graphml and a program for large graphs",
            limit=MOST_NODES,
        )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Fetch the graph and show, write or draw it."""
    choices = Choices.of(arguments)
    request = parse(GraphRequest, plain.request_values(arguments, GRAPH, choices))
    kind, file = ("svg", arguments.svg) if arguments.svg else (arguments.format, arguments.output)
    if kind is None and file is not None:
        kind = _ENDINGS.get(Path(file).suffix.lower())
        if kind is None:
            raise InvalidInputError(
                f"the ending of {file} names no format", hint=f"end it in {', '.join(_ENDINGS)}, or give --format"
            )
    if kind == "svg":
        require_service("a picture of the graph")
        _check_size(request.limit)
    found = plain.carry_out(GRAPH, request, choices, screen)
    if kind is None:
        screen.value(found, show.lines_of(found, screen))
        return exits.OK
    document = _FORMATS[kind](found)
    if file is None:
        screen.bytes(document.encode())
        return exits.OK
    with written(Path(file), "choose another file with -o FILE") as stream:
        stream.write(document.encode())
    screen.note(f"{file}: {len(found.nodes)} nodes, {len(found.edges)} relations")
    return exits.OK
