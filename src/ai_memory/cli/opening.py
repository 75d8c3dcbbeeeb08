"""Opens the service that a command works on; the code for each kind is imported only when it is the one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, api_key, proof_for, running_service, settings_for
from ai_memory.installation import require_service
from ai_memory.operations.caller import Caller
from ai_memory.types import Actor

HTTP_SECONDS = 600.0
"""How long to wait for one answer over HTTP: an import or a `--wait` may take minutes."""


@contextmanager
def opened(
    choices: Choices, screen: Screen, *, writes: bool, any_embedder: bool = False, actor: Actor = Actor.PERSON
) -> Iterator[Caller]:
    """What carries out the operations of a command: a running service over HTTP, else one in this process; closed at the end.

    `writes`: whether the command adds memories, which are then embedded before a service in this process is closed; a notice on
    `screen` says what is left. Writes are recorded as those of `actor`. `any_embedder` as for `wiring.open_service`. Raises what
    opening the store or reading settings raises.
    """
    address = running_service(choices)
    if address is not None:
        from ai_memory.remote import RemoteService

        remote = RemoteService(
            address, api_key=api_key(), timeout=HTTP_SECONDS, actor=actor, proof=proof_for(address, choices)
        )
        with closing(remote):
            yield remote
        return
    require_service("a command without --url or a running service")
    from ai_memory.cli.in_process import service_here
    from ai_memory.service.acting import Acting

    with service_here(settings_for(choices), screen, writes=writes, any_embedder=any_embedder) as service:
        yield Acting(service, actor)
