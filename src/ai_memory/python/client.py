"""`Client`: the typed methods over HTTP."""

from __future__ import annotations

from ai_memory.python.methods import Methods
from ai_memory.remote import DEFAULT_TIMEOUT, DEFAULT_URL, RemoteService


class Client(Methods):
    """A running service at `url`. May be used from any thread; use it as a context manager or close it.

    Raises the same errors as `Memory`, and ServiceUnavailableError where nothing answers. A request that only reads is tried
    a second time when the connection breaks, and so is a write that has an idempotency key.
    """

    def __init__(self, url: str = DEFAULT_URL, *, api_key: str | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        """`timeout` is in seconds, for connecting and for each wait for an answer."""
        self._service = RemoteService(url, api_key=api_key, timeout=timeout)
        super().__init__(self._service)

    @property
    def url(self) -> str:
        """The service's address."""
        return self._service.url
