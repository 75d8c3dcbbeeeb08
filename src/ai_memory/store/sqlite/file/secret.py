"""The store's secret, in a file of its own next to the store's: who gets a copy of the store alone cannot try texts on it.

The file is `<store>.key`: 64 hexadecimal digits and a line feed, mode 0600. Several processes may make it at once: the first one's
is everyone's. Where it is lost, a new one is made; the tombstones that the lost one sealed refuse nothing any more, and `doctor`
says so. Put back, it opens them again.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ai_memory.errors import StoreCorruptError
from ai_memory.store.tombstones import SECRET_BYTES, Secret


def key_file(store: Path) -> Path:
    """Where a store's secret is."""
    return store.with_name(store.name + ".key")


def load_secret(store: Path) -> Secret:
    """The secret of the store at a path, made where there is none.

    Raises OSError, and StoreCorruptError where the file holds something else.
    """
    file = key_file(store)
    try:
        return _read(file)
    except FileNotFoundError:
        write_secret(store, Secret.new())
        return _read(file)


def read_secret(store: Path) -> Secret:
    """The secret for reading alone: where there is none, one that opens nothing, and no file is made."""
    try:
        return _read(key_file(store))
    except FileNotFoundError:
        return Secret.new()


def write_secret(store: Path, secret: Secret) -> None:
    """Keep a secret, on disk when this returns, unless the store has one meanwhile. Raises OSError."""
    file = key_file(store)
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(f"{secret.key.hex()}\n")
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(part, file)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            if not file.exists():
                part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(file: Path) -> Secret:
    text = file.read_text("ascii", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != SECRET_BYTES:
        raise StoreCorruptError(
            f"{file} holds no secret of a store: 64 hexadecimal digits are expected",
            hint="put back the file that belongs to the store, or move it away: then a new one is made, and what was "
            "forgotten until now can be stored again",
            location=str(file),
        )
    return Secret(key)
