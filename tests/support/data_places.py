"""A data folder and its store, SQLite or Neo4j, opened as users open it, and every byte that can be read of both."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from ai_memory import Memory
from ai_memory.settings import SecretStr, Settings
from ai_memory.wiring import backup
from tests.support import neo4j_backend
from tests.support.disk import ENCODINGS, stored_in

STORES = ("sqlite", "neo4j-newest")


class DataPlace:
    """One data folder; `store` is `sqlite`, or `neo4j-LINE`, whose database is emptied first."""

    def __init__(self, store: str, folder: Path, **flags: Any) -> None:
        self.folder = folder
        self.is_file = store == "sqlite"
        if not self.is_file:
            server = neo4j_backend.server(store.removeprefix("neo4j-"))
            neo4j_backend.clean(server)
            flags |= {
                "store": f"{server.uri.replace('://', f'://{server.user}@')}/neo4j",
                "store_password": SecretStr(server.password),
            }
        self.settings = Settings(data_dir=folder, **{"model": "hashing", "snapshot_rows": 100, **flags})

    def open(self) -> Memory:
        """The service on it, as a program has it."""
        return Memory(settings=self.settings)

    def back_up(self, file: Path) -> bytes:
        """A backup made now, as the command makes one."""
        backup(self.settings, file)
        return file.read_bytes()

    def bytes_kept(self, memory: Memory | None = None) -> bytes:
        """What lies in the folder, packed files unpacked, and what a database holds, where it is opened."""
        found = b"".join(map(_plain, sorted(path for path in self.folder.rglob("*") if path.is_file())))
        return found + (b"" if memory is None else stored_in(memory._service._parts.store).encode())


def holds(data: bytes, words: list[str]) -> list[str]:
    """Those of the words that are in the bytes, in any encoding, lower-cased or not."""
    return [
        word for word in words if any(form.encode(code) in data for form in (word, word.lower()) for code in ENCODINGS)
    ]


def _plain(file: Path) -> bytes:
    data = file.read_bytes()
    return data + gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
