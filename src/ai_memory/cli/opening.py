"""Opens the target that a command works on; each kind is imported only when it is the one."""

from __future__ import annotations

from ai_memory.cli.target import Choices, Target, api_key, running_url, settings_for
from ai_memory.installation import require_service


def open_target(choices: Choices, *, any_embedder: bool = False) -> Target:
    """The target that the choices lead to; `any_embedder` as for `wiring.open_service`. Raises what opening the store or
    reading settings raises.
    """
    url = running_url(choices)
    if url is not None:
        from ai_memory.cli.target_http import HttpTarget

        return HttpTarget(url, api_key())
    require_service("a command without --url or a running service")
    from ai_memory.cli.target_local import LocalTarget

    return LocalTarget(settings_for(choices), any_embedder=any_embedder)
