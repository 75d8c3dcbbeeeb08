"""Where a command's work is done: by a running service over HTTP, or by the service in this process.

In this order: the address given with `--url` or AI_MEMORY_URL; the service that runs on the data folder, found by the file it
writes there; this process itself. Only the last one loads the store and a model, so the first two answer at once.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ai_memory import environment
from ai_memory.clock import MachineZone
from ai_memory.discovery import find_service
from ai_memory.environment import setting_variable
from ai_memory.errors import InvalidInputError, OfflineError
from ai_memory.places import Address, data_folder, default_config_file, is_loopback, shown_address

if TYPE_CHECKING:
    from ai_memory.settings import Settings


class Choices(NamedTuple):
    """What the command line, and for what is no setting the environment, say about where to work; None where they say nothing."""

    url: str | None = None
    data_dir: str | None = None
    config: str | None = None
    namespace: str | None = None
    offline: bool | None = None

    @classmethod
    def of(cls, arguments: Any) -> Choices:
        """The choices of parsed arguments; the environment where an option was not given."""
        return cls(
            url=getattr(arguments, "url", None) or _environment("URL"),
            data_dir=getattr(arguments, "data_dir", None),
            config=getattr(arguments, "config", None) or _environment("CONFIG"),
            namespace=getattr(arguments, "namespace", _environment("NAMESPACE")),
            offline=getattr(arguments, "offline", None),
        )


def _environment(name: str) -> str | None:
    return setting_variable(name) or None


def api_key() -> str | None:
    """The key sent to a service over HTTP."""
    return _environment("API_KEY")


def running_service(choices: Choices) -> Address | None:
    """The service to use, or None where none was named and none runs on the data folder.

    A named one is taken as it is: the user knows what is there. Raises InvalidInputError and OfflineError for a wrong address, and
    for a variable whose name is nearly that of a setting: what it was meant to say would be ignored, and another store used.
    """
    if not environment.names() <= environment.OF_CLIENTS:
        # Takes 4 ms, which a command without such variables saves.
        from ai_memory.settings import refuse_misspelt_variables

        refuse_misspelt_variables()
    if choices.url:
        parts = urlsplit(choices.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInputError(
                f"{shown_address(choices.url)!r} is not the address of a service", hint="write http://127.0.0.1:7677"
            )
        if not is_loopback(parts.hostname) and settings_for(choices).offline:
            raise OfflineError(
                f"{shown_address(choices.url)} is on another machine while `offline` is set",
                hint="use a local service, or unset offline",
            )
        return Address(choices.url.rstrip("/"))
    return discover(data_dir(choices))


def running_url(choices: Choices) -> str | None:
    """The address of that service."""
    found = running_service(choices)
    return None if found is None else found.url


def proof_for(address: Address, choices: Choices) -> str:
    """What shows a service that its own user calls: the secret that it left in the data folder; empty for any other service."""
    found = find_service(data_dir(choices))
    if found is None or found.url.rstrip("/") != address.url:
        return ""
    # An address that the user gave is not asked on each connection: the secret is only for the service that left it.
    return found.person_proof if address.is_behind is not None or found.answers() else ""


def data_dir(choices: Choices) -> Path:
    """The data folder, whatever may be wrong with other settings."""
    return data_folder(choices.data_dir, lambda: _data_dir_in_file(choices))


def _data_dir_in_file(choices: Choices) -> Path | None:
    file = config_file(choices) or default_config_file()
    if not file.is_file():
        return None
    from ai_memory.settings import data_dir_in  # takes 4 ms, which a command without a settings file saves

    return data_dir_in(file)


def zone(choices: Choices) -> dt.tzinfo:
    """The zone whose days the user means, whatever may be wrong with other settings."""
    file = config_file(choices)
    if file is None and not _environment("TIMEZONE") and not default_config_file().is_file():
        return MachineZone()
    from ai_memory.settings import load_zone

    return load_zone(file)


def config_file(choices: Choices) -> Path | None:
    """The settings file that was named, which must exist; None where none was."""
    if not choices.config:
        return None
    file = Path(choices.config).expanduser()
    if not file.is_file():
        raise InvalidInputError(f"there is no settings file {file}", hint="check --config and AI_MEMORY_CONFIG")
    return file


def discover(folder: Path) -> Address | None:
    """The service that runs on a data folder and has proved it, or None.

    A file left behind by a killed one does not count, whatever program answers at its address now.
    """
    found = find_service(folder)
    return Address(found.url.rstrip("/"), found.is_behind) if found is not None and found.answers() else None


def settings_for(choices: Choices, **flags: Any) -> Settings:
    """All settings, with the command line's choices over them. Raises InvalidInputError that names each wrong one."""
    from ai_memory.settings import load_settings

    return load_settings(config_file(choices), data_dir=choices.data_dir, offline=choices.offline, **flags)
