"""The console's files as the server sends them: where each is found, its media type, and the headers that keep the page closed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from ai_memory.operations.base import to_json

START = "index.html"
PREFIX = "/console/"
"""The path of every file but the start page, which is at `/`."""
MEDIA = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "mjs": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
    "json": b"application/json",
    "LICENSE": b"text/plain; charset=utf-8",
}
HEADERS: list[tuple[bytes, bytes]] = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        b"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
"""No code but the console's own files runs, text never becomes markup, nothing comes from elsewhere, and no page may frame it."""


class File(NamedTuple):
    """One file: the path of its address, its media type and its bytes."""

    path: str
    media: bytes
    body: bytes


def console_files() -> Iterator[File]:
    """Every file of the console, the start page at `/`."""
    yield from _below(files("ai_memory.console") / "static", PREFIX)


def _below(folder: Traversable, path: str) -> Iterator[File]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _below(entry, f"{path}{entry.name}/")
        elif (media := MEDIA.get(entry.name.rpartition(".")[2])) is not None:
            yield File("/" if entry.name == START else path + entry.name, media, entry.read_bytes())


PLACEHOLDER = "{NAMESPACE}"
"""What the page puts the reader's namespace in place of, in the settings of `programs`."""


def programs() -> bytes:
    """The programs of `ai-memory setup` as JSON: the name, the title, the file, and what to write into an empty one, twice.

    `plain` is for the namespace `default`, `scoped` has `PLACEHOLDER` for any other. Files are those of the user on whose
    machine the service runs, with `~` for the home folder.
    """
    from ai_memory.programs.editing import changed  # YAML takes longer to import than the rest of the console
    from ai_memory.programs.known import PROGRAMS, Program, Server

    def text(program: Program, variables: dict[str, str]) -> str:
        entry = program.write(Server("ai-memory", ["mcp"], variables))
        return changed("", program.form, (*program.path, "memory"), entry).strip()

    return to_json(
        [
            {
                "name": each.name,
                "title": each.title,
                "file": _from_home(each.file()),
                "plain": text(each, {}),
                "scoped": text(each, {"AI_MEMORY_NAMESPACE": PLACEHOLDER}),
            }
            for each in PROGRAMS.values()
        ]
    )


def _from_home(file: Path) -> str:
    home = Path.home()
    return f"~/{file.relative_to(home).as_posix()}" if file.is_relative_to(home) else str(file)
