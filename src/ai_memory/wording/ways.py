"""The ways out that errors and notices name, in the words of the surface that shows them.

An error carries a `Way` and not a sentence: a person on the command line reads a command, a program that speaks HTTP a route, and
a model a tool or what to ask its user for. Which surface speaks is known where a request comes in (`speaking`), as a language would
be; the words are chosen when they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

from msgspec import Struct

Surface = Literal["python", "cli", "rest", "mcp"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
_BY_NAME: dict[str | None, Surface] = {name: name for name in SURFACES}
HEADER = "X-AI-Memory-Surface"
"""The header in which our own HTTP client names the surface that it speaks for, so that the server's words fit there."""

_surface: ContextVar[Surface] = ContextVar("surface", default="python")


@contextmanager
def speaking(surface: Surface) -> Iterator[None]:
    """While the block runs, in this thread or task and what it starts, ways out are worded for `surface`."""
    token = _surface.set(surface)
    try:
        yield
    finally:
        _surface.reset(token)


def speak(surface: Surface) -> None:
    """As `speaking`, for the rest of a task that serves one request and ends."""
    _surface.set(surface)


def spoken() -> Surface:
    """The surface that words are chosen for; `python` where nothing was said."""
    return _surface.get()


def named(name: str | None, otherwise: Surface) -> Surface:
    """The surface of that name; `otherwise` for None and for any other name."""
    return _BY_NAME.get(name, otherwise)


class Way(Struct, frozen=True, kw_only=True):
    """One way out; `str` gives it in the words of the surface that is speaking."""

    cli: str
    python: str
    rest: str
    mcp: str

    def __str__(self) -> str:
        return self.words(spoken())

    def words(self, surface: Surface) -> str:
        """The way out as a reader on `surface` can take it."""
        text: str = getattr(self, surface)
        return text

    def after(self, lead: str) -> Way:
        """The same way out, after words that every surface shows."""
        return Way(**{each: lead + self.words(each) for each in SURFACES})


def by_operator(command: str, deed: str) -> Way:
    """What only the person at the service's machine can do: by `command` on a terminal; others are given the `deed` in words."""
    return Way(
        cli=command,
        python=command,
        rest=f"{deed}, on the machine of the service",
        mcp=f"ask the user to {deed}, on the machine of the service",
    )


def by_operation(command: str, method: str, route: str, tool: str, purpose: str) -> Way:
    """Another operation that helps, by its name on each surface, and what for; an empty `tool` means that models have none."""
    return Way(
        cli=f"ai-memory {command} {purpose}",
        python=f"{method}() {purpose}",
        rest=f"{route} {purpose}",
        mcp=f"{tool} {purpose}" if tool else f"ask the user to look: the service's command line or page {purpose}",
    )


def by_field(name: str, value: str, purpose: str = "") -> Way:
    """A field of the same request to set, as each surface writes it; no `value` for a switch."""
    option = f"--{name.replace('_', '-')}"
    plain = f"{name}={value or 'true'}{purpose}"
    return Way(
        cli=f"{option} {value}".rstrip() + purpose,
        python=f"{name}={value or 'True'}{purpose}",
        rest=plain,
        mcp=plain,
    )


def fetch_model(name: str = "") -> Way:
    """Fetch a model: the multilingual one, or that of this name."""
    command = f"ai-memory model fetch {name}".rstrip()
    return by_operator(command, f"fetch the embedding model {name}".rstrip() if name else "fetch an embedding model")


FETCH_MODEL = fetch_model()
FETCH_AGAIN = by_operator(
    "copy the folder again, or delete it and run: ai-memory model fetch NAME",
    "copy the model's folder again, or fetch the model again",
)
USE_FOLDER = by_operator(
    "name the folder where it is now: ai-memory model use FOLDER", "name the model's folder in the setting `model`"
)
MODELS_LISTED = by_operator(
    "see ai-memory model list for those that it runs", "choose one of those that this version runs"
)
MODEL_AUTO = by_operator("set model to auto", "set the setting `model` to auto")
REEMBED = by_operator("ai-memory reembed", "make all vectors again")
ACTIVATE = by_operator("ai-memory reembed --activate", "switch to the new vectors")
ACTIVATE_INCOMPLETE = by_operator(
    "ai-memory reembed --activate --incomplete", "switch to the new vectors although some are missing"
)
CANCEL_REEMBED = by_operator("ai-memory reembed --cancel", "cancel the build of new vectors")
DOCTOR = by_operator("ai-memory doctor", "have the store checked")
REBUILD = by_operator("ai-memory doctor --rebuild", "have the derived data rebuilt")
TUNE = by_operator("ai-memory tune", "tune the recipe again")
SERVE = by_operator("ai-memory serve", "start the service")
WIPE = by_operator(
    "end what reads the store, or close the programs that have it open; the wipe follows within seconds",
    "end what reads the store; the wipe follows within seconds",
)
EMBED_PENDING = Way(
    cli="ai-memory embed --pending makes them now; a running service makes them by itself",
    python="settle() waits for them",
    rest="ask again in a moment: they are made in the background",
    mcp="ask again in a moment: they are made in the background",
)
LIST = by_operation("list", "list", "GET /v1/memories", "list_memories", "shows what is there")
DECISIONS = by_operation("decisions", "decisions", "GET /v1/decisions", "", "lists the decisions")
NEIGHBOURS = by_operation(
    "neighbours", "neighbours", "GET /v1/neighbours/{id}", "neighbours", "shows relations and mentions"
)
PROPOSALS = by_operation("review", "proposals", "GET /v1/proposals", "", "lists the proposals")
UNDO_PROPOSAL = Way(
    cli="ai-memory review shows what was decided; ai-memory review undo ID takes it back",
    python='proposals() shows what was decided; decide(id, "undo") takes it back',
    rest='GET /v1/proposals shows what was decided; POST /v1/proposals/{id} with {"decision": "undo"} takes it back',
    mcp="ask the user to look at the proposal, with the service's command line",
)
JOBS = by_operation("jobs", "jobs", "GET /v1/jobs", "", "lists the jobs")
RESUME = Way(
    cli="ai-memory jobs resume all",
    python='steer_job("all", "resume")',
    rest='POST /v1/jobs/{id} with the id all and {"action": "resume"}',
    mcp="ask the user to resume them, with the service's command line",
)
UNDO = Way(
    cli="ai-memory decisions shows by which decision; ai-memory undo reverts it",
    python="decisions() shows by which decision; undo() reverts it",
    rest="GET /v1/decisions shows by which decision; DELETE /v1/decisions/{id} reverts it",
    mcp="ask the user to undo the decision, with the service's command line",
)
MERGE_OR_SPLIT = Way(
    cli="ai-memory merge, or ai-memory split",
    python="merge(), or split()",
    rest="POST /v1/decisions/merge, or POST /v1/decisions/split",
    mcp="ask the user to merge or split entities, with the service's command line",
)
STATS = by_operation("stats", "stats", "GET /v1/stats", "", "shows how much is left")
GENERATIONS = by_operation("reembed --status", "generations", "GET /v1/generations", "", "shows the vector generations")
API_KEY = Way(
    cli="set AI_MEMORY_API_KEY to a key of the service",
    python="give Client(url, api_key=...) a key of the service",
    rest="send Authorization: Bearer KEY, or X-API-Key: KEY",
    mcp="ask the user to set AI_MEMORY_API_KEY to a key of the service, and to start this MCP server again",
)


def installing(extra: str, command: str) -> Way:
    """Install an extra that is missing, by the command of `installation.install_hint`."""
    return by_operator(command, f"install the extra `{extra}`")


def again_after(seconds: float, rest: str = "") -> Way:
    """Try again later; over HTTP a header says when, and `rest` what else helps there."""
    plain = f"try again in {seconds:g} s"
    return Way(cli=plain, python=plain, rest=f"try again after the seconds in Retry-After{rest}", mcp=plain)
