"""`Memory`: the typed methods over a service in this process."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from ai_memory.errors import InvalidInputError
from ai_memory.installation import require_service
from ai_memory.python.methods import Methods
from ai_memory.types import Actor

if TYPE_CHECKING:
    from ai_memory.settings import Settings


class Memory(Methods):
    """A store opened in this process. May be used from any thread; use it as a context manager or close it.

    Other processes may have the same store open; each sees the others' writes at its next call.
    """

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        data_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        actor: Actor | str = Actor.AGENT,
        **flags: Any,
    ) -> None:
        """Open the store at `path`, or the one of `data_dir`, or the user's own. Writes are recorded as those of `actor`.

        What is not given here comes from the environment and the configuration file; `flags` are further settings by name,
        such as `model="none"`. With `settings`, those are used as they are and nothing else may be given. Raises
        InvalidInputError for a wrong setting, NotInstalledError where only the client is installed, and StoreError's
        subclasses where the store cannot be opened.
        """
        require_service("Memory")
        writes_as = _actor(actor)
        from ai_memory.service.acting import Acting
        from ai_memory.settings import given_settings
        from ai_memory.wiring import open_service  # loads numpy, which a program that only imports Client does not need

        if settings is None:
            settings = given_settings({"store": path, "data_dir": data_dir, **flags})
        elif path is not None or data_dir is not None or flags:
            raise InvalidInputError("settings are given, and a path or single settings too", hint="give one of them")
        self.settings = settings
        self._service = open_service(settings)
        super().__init__(Acting(self._service, writes_as))

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until every memory is embedded; False at the time limit (seconds) or without a model."""
        return self._service.settle(timeout)


def _actor(actor: Actor | str) -> Actor:
    try:
        return Actor(actor)
    except ValueError:
        raise InvalidInputError(
            f"actor: {str(actor)[:80]!r} is no actor", hint=f"one of: {', '.join(Actor)}", field="actor"
        ) from None
