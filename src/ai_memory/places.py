"""Folders, files and addresses on this machine, known without reading settings: cheap enough for every command to import."""

from __future__ import annotations

import glob
import ipaddress
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from ai_memory.environment import setting_variable, variable

if TYPE_CHECKING:
    from http.client import HTTPConnection

APPLICATION = "ai-memory"
SERVICE_FILE = "service.json"
"""Written into the data folder by a running server: where it is, and a secret by which it is known (see discovery.py)."""


_OTHERS = 0o077


class Address(NamedTuple):
    """Where a service is, and how to make sure of it."""

    url: str
    is_behind: Callable[[HTTPConnection], bool] | None = None
    """Asked on each new connection before anything else is sent: whether the service is at the other end. None for an address
    that the user has given, who knows what is there."""


def absolute(path: str | PathLike[str]) -> Path:
    """A path as a user writes it, with `~` for the home folder, as an absolute one; links stay."""
    return Path(path).expanduser().absolute()


def open_private(path: Path) -> IO[bytes]:
    """A file for writing, emptied if it is there, that only its owner can read, from its first byte on. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    if os.fstat(descriptor).st_mode & _OTHERS:
        os.fchmod(descriptor, 0o600)
    os.ftruncate(descriptor, 0)
    return os.fdopen(descriptor, "wb")


def loose_files(beside: Path) -> Iterator[Path]:
    """A store's file and what is kept next to it under its name, in folders too, as far as others on this machine can read it."""
    for found in sorted(beside.parent.glob(f"{glob.escape(beside.name)}*")):
        for each in (found, *(sorted(found.rglob("*")) if found.is_dir() else ())):
            with suppress(OSError):  # another process has deleted it meanwhile
                if each.stat().st_mode & _OTHERS:
                    yield each


def tighten(beside: Path) -> None:
    """Let nobody else read these files, as far as this user may say so; `loose_files` finds what is left."""
    for each in loose_files(beside):
        with suppress(OSError):
            each.chmod(each.stat().st_mode & 0o700)


def default_data_dir() -> Path:
    """The platform's folder for this user's application data."""
    import platformdirs  # takes 40 ms, which a command with --data-dir saves

    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))


def data_folder(flag: str | PathLike[str] | None, in_file: Callable[[], str | PathLike[str] | None]) -> Path:
    """The data folder: that of a flag, else of AI_MEMORY_DATA_DIR, else of the settings file, else the platform's.

    `in_file` gives what the file says, and is called only where it counts.
    """
    named = flag or setting_variable("data_dir") or in_file()
    return absolute(named) if named else default_data_dir()


def default_config_file() -> Path:
    """The platform's settings file of this user."""
    import platformdirs

    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "config.toml"


def shown_address(address: str) -> str:
    """An address for people and logs, without what may be secret in it: passwords, names that may be keys, values in its query.

    What is no address, such as the path of a file, is as it was.
    """
    scheme, found, rest = address.partition("://")
    if not found:
        return address
    ends = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    # Behind its end as well: a password may have a slash or a question mark that should have been written %2F or %3F.
    named, at, place = rest.rpartition("@") if "@" not in rest[:ends] else _split(rest, rest.rindex("@", 0, ends))
    user, colon, _ = named.partition(":")
    if scheme.lower() in ("http", "https"):
        user = "***" if at else ""
    elif colon:
        user += ":***"
    place, mark, query = place.partition("?")
    query = "&".join(f"{each.partition('=')[0]}=***" if "=" in each else "***" for each in query.split("&"))
    return f"{scheme}://{user}{at}{place}{mark}{query if mark else ''}"


def _split(text: str, at: int) -> tuple[str, str, str]:
    return text[:at], text[at], text[at + 1 :]


_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this machine and no other can reach it: 127.0.0.0/8, ::1, `localhost` and names below it.

    An IPv6 address may be in brackets, and an IPv4 one mapped into it (::ffff:127.0.0.1). False for None and for any other name:
    names are not resolved.
    """
    name = (host or "").lower().removeprefix("[").removesuffix("]").removesuffix(".")
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


@dataclass(frozen=True, kw_only=True)
class ModelPlaces:
    """Where models may be stored besides the data folder."""

    gemma: Path | None = None
    """EmbeddingGemma's folder, where the user has named it."""
    folders: tuple[Path, ...] = ()
    """Folders that hold model folders."""
    hub: Path | None = None
    """The cache of the Hugging Face hub, which other programs fill too."""


def model_places() -> ModelPlaces:
    """From the environment and the current folder: EMBEDDINGGEMMA_MODEL_PATH, ./models, and the hub's cache where its
    variables (HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME) put it.
    """
    named = variable("EMBEDDINGGEMMA_MODEL_PATH")
    caches = Path(variable("XDG_CACHE_HOME") or "~/.cache")
    home = Path(variable("HF_HOME") or caches / "huggingface")
    hub = Path(variable("HF_HUB_CACHE") or home / "hub")
    return ModelPlaces(
        gemma=Path(named).expanduser() if named else None, folders=(Path("models").absolute(),), hub=hub.expanduser()
    )
