"""All settings in one table, read from flags, the environment (`AI_MEMORY_…`), a TOML file and defaults, in that order.

`Settings` itself is a value and reads nothing: `load_settings` reads the sources, and everything else is given what it needs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Struct, field

from ai_memory import environment
from ai_memory.clock import NEVER, MachineZone, period
from ai_memory.decoding import from_builtins, in_words
from ai_memory.errors import InvalidInputError
from ai_memory.places import absolute, default_config_file, default_data_dir, shown_address
from ai_memory.types import MemoryType
from ai_memory.wording.spelling import SAFE, did_you_mean, nearest

MASK = "**********"
"""What is shown in place of a secret."""
HINT = "ai-memory help settings"
FLAG, DEFAULT = "flag", "default"
"""Sources of a setting's value that have no name of their own."""


class SecretStr:
    """Text that neither `repr`, `str` nor a log line shows."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get_secret_value(self) -> str:
        """The text itself."""
        return self._secret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._secret == other._secret

    def __hash__(self) -> int:
        return hash(self._secret)

    def __len__(self) -> int:
        return len(self._secret)

    def __str__(self) -> str:
        return MASK if self._secret else ""

    def __repr__(self) -> str:
        return f"SecretStr({str(self)!r})"


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting, its type, default and meaning.

    Values are read leniently, as they come from the environment: "7677" is a port and a string is a path. Raises
    InvalidInputError that names every wrong one.
    """

    data_dir: Annotated[Path, Meta(description="Folder of the store, models and caches.")] = field(
        default_factory=default_data_dir
    )
    store: Annotated[
        str,
        Meta(description="Path of the store, or neo4j://USER@HOST:PORT/DATABASE; empty means memory.db in data_dir."),
    ] = ""
    store_password: Annotated[
        SecretStr, Meta(description="Password of the store's user, where the store is a Neo4j database.")
    ] = SecretStr("")
    offline: Annotated[bool, Meta(description="Refuse every network call except to loopback addresses.")] = False
    host: Annotated[str, Meta(description="Address that the server listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port that the server listens on; 0 picks a free one.")] = (
        7677
    )
    api_keys: Annotated[
        dict[str, list[SecretStr]],
        Meta(
            description='Keys by namespace, such as {"default": ["…"]}; "*" opens all. Optional on loopback, required elsewhere.'
        ),
    ] = field(default_factory=dict)
    person_keys: Annotated[
        list[SecretStr],
        Meta(
            description="Those of the `api_keys` that a person holds: what is written with them is recorded as a person's, "
            "with any other key as an agent's."
        ),
    ] = field(default_factory=list)
    allowed_hosts: Annotated[
        list[str],
        Meta(
            description=(
                "Host names that requests may use besides loopback names and the host; protects against DNS rebinding."
            )
        ),
    ] = field(default_factory=list)
    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest request body in bytes; import is not limited.")
    ] = 16_777_216
    max_concurrent_requests: Annotated[
        int,
        Meta(ge=1, description="Requests in progress at once; up to four times as many wait, and any others get 429."),
    ] = 64
    max_connections: Annotated[
        int,
        Meta(
            ge=16,
            description=(
                "Connections open at once; for one more, the one that has been idle longest is closed, or it gets 503."
            ),
        ),
    ] = 1_024
    client_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds in which a client must send or read at least 1 KiB of a request or answer in progress.",
        ),
    ] = 60.0
    shutdown_seconds: Annotated[
        float, Meta(ge=0, description="Seconds that a stopping server gives requests in progress.")
    ] = 20.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severe log line shown.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "text"],
        Meta(description="Log lines as JSON or text; auto is text on a terminal, JSON elsewhere."),
    ] = "auto"
    model: Annotated[
        str,
        Meta(description="Embedder: auto (the best that is found), none, a known name, or a model folder."),
    ] = "auto"
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "int8"], Meta(description="Arithmetic of the embedder; never float16.")
    ] = "auto"
    dimension: Annotated[
        int,
        Meta(
            ge=0,
            le=8192,
            description=(
                "Length of the vectors, where the model has several (EmbeddingGemma: 768, 512, 256, 128); "
                "0 is the store's, in a new store the model's."
            ),
        ),
    ] = 0
    threads: Annotated[int, Meta(ge=0, description="Threads of the embedder; 0 means all cores.")] = 0
    embedder_url: Annotated[
        str,
        Meta(
            description="Address of another service whose embedder is used, such as http://gpu:7677; "
            "model, dtype and threads are its."
        ),
    ] = ""
    embedder_api_key: Annotated[SecretStr, Meta(description="API key of the service at embedder_url.")] = SecretStr("")
    embedder_timeout: Annotated[
        float,
        Meta(
            gt=0,
            description="How many seconds the service at embedder_url may take for one answer; for a question 10 at most.",
        ),
    ] = 60.0
    preload: Annotated[
        bool, Meta(description="Load the model when the server starts rather than at the first use.")
    ] = True
    busy_timeout_seconds: Annotated[
        float, Meta(ge=0, description="How long a write waits for another process that holds the store's lock.")
    ] = 30.0
    extract: Annotated[
        bool,
        Meta(
            description=(
                "Extract in the background what memories name and state, for the graph; without a language model."
            )
        ),
    ] = True
    timezone: Annotated[
        str,
        Meta(
            description=(
                "Time zone of the user, such as Europe/Berlin: whose days *today* and *last week* mean in questions and "
                "memories, where a request's `now` has no offset, how a date in a filter is read, and how dates are shown; empty "
                "means the zone of this machine."
            )
        ),
    ] = ""
    snapshot_rows: Annotated[
        int, Meta(ge=0, description="Save the index next to the store after this many new passages; 0 never saves it.")
    ] = 20_000
    recipe_file: Annotated[
        str,
        Meta(
            description=(
                "File of recall weights written by `ai-memory tune`; empty means recipe.json in data_dir, if it exists."
            )
        ),
    ] = ""
    on_conflict: Annotated[
        dict[str, Literal["keep", "propose", "supersede"]],
        Meta(
            description='What a new memory does that seems to give another value of what is stored, by namespace, such as {"home": '
            '"supersede"}; "*" is for all others. keep stores it, propose also proposes that the newer one supersedes the older '
            "one, supersede does so where it is as good as certain. Default: propose."
        ),
    ] = field(default_factory=dict)
    expire_after: Annotated[
        dict[str, str],
        Meta(
            description=(
                'How long new memories are kept that are given no expiry, by type or by context, such as {"working": "1d", '
                '"/work/scratch": "30d"}; never for good. What is given replaces the default. Pinned, imported and older memories '
                "are passed over."
            )
        ),
    ] = field(default_factory=lambda: {"working": "1d"})
    erase_expired_after: Annotated[
        str,
        Meta(
            description=(
                "How long after it expired a memory is erased by a running service, such as 30d; empty means never. Pinned "
                "memories are passed over."
            )
        ),
    ] = ""
    lapse_proposals_after: Annotated[
        str,
        Meta(
            description=(
                "How long a proposal that nobody decides stays in the inbox of a running service, such as 90d; then it is laid "
                "aside, and can be opened again. Empty means for good."
            )
        ),
    ] = ""
    background: Annotated[
        bool,
        Meta(
            description="Whether a running service decides anything by itself in the background; false stops all of it."
        ),
    ] = True
    brake_share: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description=(
                "Where background decisions of one kind would touch more than this share of a namespace, and more than 20 "
                "memories, within a day, none is made: it waits for a person, and health says so."
            ),
        ),
    ] = 0.1
    decisions_per_hour: Annotated[
        int,
        Meta(ge=1, description="At most so many background decisions of one kind in a namespace within an hour."),
    ] = 1_000
    forget_share: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Bulk forgetting is refused when it would erase more than this share of a namespace.",
        ),
    ] = 0.2

    def __post_init__(self) -> None:
        values, wrong = _converted(msgspec.structs.asdict(self))
        if wrong:
            raise _refusal(wrong)
        _hide_password(values)
        values["data_dir"] = absolute(values["data_dir"])
        for name, value in values.items():
            msgspec.structs.force_setattr(self, name, value)

    def masked(self) -> dict[str, Any]:
        """The settings by name as JSON has them, with secrets replaced by asterisks."""
        shown: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        return shown | {name: shown_address(shown[name]) for name in ("store", "embedder_url")}

    @property
    def store_place(self) -> str:
        """The store's address, or its file's path."""
        return self.store if "://" in self.store else str(self.store_path)

    @property
    def beside_store(self) -> Path:
        """The path next to which files derived from the store are kept: its own, or one in data_dir for a store on a server."""
        if "://" not in self.store:
            return self.store_path
        import hashlib  # OpenSSL takes milliseconds to load, and the command line reads settings from this module

        return self.data_dir / f"store-{hashlib.blake2b(self.store.encode(), digest_size=8).hexdigest()}"

    @property
    def store_path(self) -> Path:
        """The SQLite file."""
        return absolute(self.store) if self.store else self.data_dir / "memory.db"

    @property
    def recipe_path(self) -> Path:
        """The file of tuned recall weights, which need not be there."""
        return absolute(self.recipe_file) if self.recipe_file else self.data_dir / "recipe.json"

    @property
    def zone(self) -> dt.tzinfo:
        """The time zone of the setting `timezone`; the machine's where it is empty."""
        return _zone(self.timezone) if self.timezone else MachineZone()

    @property
    def models_dir(self) -> Path:
        """Where fetched models are kept."""
        return self.data_dir / "models"

    @property
    def cache_dir(self) -> Path:
        """Derived files that may be deleted at any time: compiled models."""
        return self.data_dir / "cache"


def load_settings(config_file: str | PathLike[str] | None = None, **flags: Any) -> Settings:
    """Settings from `flags` (None means not given), the environment, and `config_file` where it exists.

    Raises InvalidInputError that names every wrong setting and where it comes from, for a variable whose name is nearly that of a
    setting, and for a file that is not TOML.
    """
    return sourced_settings(config_file, **flags).settings


def sourced_settings(config_file: str | PathLike[str] | None = None, **flags: Any) -> Sourced:
    """As `load_settings`, with where each value came from."""
    values: dict[str, Any] = {}
    origins: dict[str, list[str]] = {}
    for source, origin in _sources(config_file, flags):
        for name, value in source.items():
            if name not in values:
                values[name], origins[name] = value, [origin]
            elif isinstance(value, Mapping) and isinstance(values[name], Mapping):
                values[name] = {**value, **values[name]}  # tables add up, such as the API keys of two sources
                origins[name].append(origin)
    converted, wrong = _converted(values)
    wrong = {name: message + _place(name, origins[name][0]) for name, message in wrong.items()}
    if wrong := {**_misspelt_variables(), **wrong}:
        raise _refusal(wrong)
    found = {name: " and ".join(origins.get(name, (DEFAULT,))) for name in Settings.__struct_fields__}
    return Sourced(Settings(**converted), found)


def given_settings(flags: Mapping[str, Any]) -> Settings:
    """As `load_settings` with the user's own settings file, for programs that have their flags in a mapping."""
    return load_settings(None, **flags)


def data_dir_in(file: Path) -> Path | None:
    """The setting `data_dir` of a settings file alone, None where it has none: what else is wrong there does not matter.

    Raises InvalidInputError where it is wrong itself, and for a file that is not TOML.
    """
    value = _in_file(file).get("data_dir")
    if not value:
        return None
    return absolute(value) if isinstance(value, str) else Settings(data_dir=value).data_dir


class Sourced(NamedTuple):
    """The settings, and by name where each value came from: `flag`, the variable's name, the file's path, or `default`."""

    settings: Settings
    sources: dict[str, str]


def load_zone(config_file: Path | None = None) -> dt.tzinfo:
    """The setting `timezone` alone, as `load_data_dir`; the machine's zone where it is wrong, which all other uses refuse.

    Raises InvalidInputError for a file that had to be read and is not TOML.
    """
    for source, _ in _sources(config_file, {}):
        if isinstance(name := source.get("timezone"), str) and name:
            with suppress(ValueError):
                return _zone(name)
    return MachineZone()


class Setting(NamedTuple):
    """One row of the settings table."""

    name: str
    kind: Any
    """The type of its values."""
    default: Any
    meaning: str

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return environment.PREFIX + self.name.upper()


def settings_table() -> tuple[Setting, ...]:
    """Every setting in the order of `Settings`."""
    rows = []
    for each in msgspec.structs.fields(Settings):
        kind, meta = get_args(each.type)
        made = each.default if each.default_factory is msgspec.NODEFAULT else each.default_factory()
        rows.append(Setting(each.name, kind, made, meta.description))
    return tuple(rows)


@cache
def _kinds() -> dict[str, Any]:
    return {setting.name: setting.kind for setting in settings_table()}


def _sources(config_file: str | PathLike[str] | None, flags: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The settings that each source has, the most important first, and the source's name. Files are read last."""
    yield {name: value for name, value in flags.items() if value is not None}, FLAG
    variables = {variable.upper(): (variable, value) for variable, value in environment.variables().items()}
    for name in Settings.__struct_fields__:
        if found := variables.get(environment.PREFIX + name.upper()):
            value: Any = found[1]
            with suppress(ValueError):  # what is not JSON is refused later, with everything else that is wrong
                value = _prepared(value, _kinds()[name])
            yield {name: value}, found[0]
    file = Path(config_file) if config_file is not None else default_config_file()
    if file.is_file():
        yield _in_file(file), str(file)


def _in_file(file: Path) -> dict[str, Any]:
    import tomllib  # some milliseconds that a command without a settings file need not spend

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInputError(f"{file} is not valid TOML: {error}", hint="fix or remove the file") from None


def _place(name: str, origin: str) -> str:
    """Where a wrong setting is, behind a message: a variable, or a file and the line in it; nothing for a flag."""
    if origin == FLAG:
        return ""
    if origin.upper().startswith(environment.PREFIX):
        return f" (in {origin})"
    key = re.compile(rf"""\s*\[?\s*["']?{re.escape(name)}["']?\s*[].=]""")
    lines = Path(origin).read_text(encoding="utf-8").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if key.match(text)), None)
    return f" (in {origin})" if line is None else f" (in {origin}, line {line})"


def refuse_misspelt_variables() -> None:
    """Raise InvalidInputError for variables whose names are nearly those of settings."""
    if wrong := _misspelt_variables():
        raise _refusal(wrong)


def _misspelt_variables() -> dict[str, str]:
    """By name, the variables that are nearly a setting's; any other that begins like one may be meant for another program."""
    known = {*Settings.__struct_fields__, *environment.OF_CLIENTS}
    near = {name: nearest(name, known, least=SAFE) for name in sorted(environment.names() - known)}
    return {
        environment.PREFIX
        + name.upper(): f"there is no such variable; did you mean {environment.PREFIX}{meant.upper()}?"
        for name, meant in near.items()
        if meant is not None
    }


def _refusal(wrong: Mapping[str, str]) -> InvalidInputError:
    each = [f"{name}: {message}" for name, message in wrong.items()]
    return InvalidInputError(f"wrong settings: {'; '.join(each)}", hint=HINT, settings=each)


def _converted(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values in their types, and for each wrong one by name what is wrong with it; no secret is in that."""
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    good: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in values.items():
        if name not in types:
            wrong[name] = "there is no such setting" + did_you_mean(name, types)
            continue
        kind = get_args(types[name])[0]
        try:
            good[name] = from_builtins(_prepared(value, kind), types[name], strict=False, hook=_hook)
            if name == "timezone" and good[name]:
                _zone(good[name])
            if name == "expire_after":
                _check_periods(good[name])
            if name in PERIODS and good[name]:
                period(good[name])
        except (msgspec.ValidationError, ValueError) as error:
            wrong[name] = _explained(str(error), kind, value)
    return good, wrong


def _zone(name: str) -> dt.tzinfo:
    """The time zone of that name. Raises ValueError where the machine has none."""
    from zoneinfo import ZoneInfo  # milliseconds that a command without this setting need not spend

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("Expected the name of a time zone, such as Europe/Berlin") from None


def _check_periods(table: Mapping[str, str]) -> None:
    """Raise ValueError where an entry of `expire_after` names no type and no context, or has no length of time."""
    kinds = tuple(map(str, MemoryType))
    for name, written in table.items():
        if not name.startswith("/") and name not in kinds:
            raise ValueError(f"Expected types ({', '.join(kinds)}) or context paths that begin with /, not {name!r}")
        if written.strip().lower() != NEVER:
            period(written)


PERIODS = ("erase_expired_after", "lapse_proposals_after")
"""The settings that are a length of time, or empty for never."""
_SWITCHES = {"yes": True, "on": True, "t": True, "y": True, "no": False, "off": False, "f": False, "n": False}
"""Words for a switch, in addition to true, false, 1 and 0."""


def _prepared(value: Any, kind: Any) -> Any:
    """The value as msgspec can convert it: paths as strings, numbers and switches without spaces, lists and tables from JSON.

    Raises ValueError for a list or table that is not JSON.
    """
    if isinstance(value, PathLike):
        return str(value)
    if not isinstance(value, str):
        return value
    if kind in (int, float, bool):
        value = value.strip()
        return _SWITCHES.get(value.lower(), value) if kind is bool else value
    if get_origin(kind) in (list, dict):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise ValueError(f"Expected a JSON {'list' if get_origin(kind) is list else 'object'}") from None
    return value


def _hook(kind: type, value: Any) -> Any:
    """A path or a secret, from a string or from a secret of another library. Raises ValueError for anything else."""
    if kind is SecretStr and callable(getattr(value, "get_secret_value", None)):
        value = value.get_secret_value()
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")  # noqa: TRY004 - msgspec lets only this one pass
    return kind(value)


def _explained(message: str, kind: Any, value: Any) -> str:
    if get_origin(kind) is Literal:
        message = "Expected one of " + ", ".join(get_args(kind))
    shown = f", got {value!r}" if isinstance(value, str | int | float) and "Secret" not in str(kind) else ""
    return in_words(message.partition(", got ")[0]) + shown


def _hide_password(values: dict[str, Any]) -> None:
    """A password in the store's address is kept where it is not shown."""
    scheme, found, rest = values["store"].partition("://")
    user, at, host = rest.rpartition("@")
    name, colon, password = user.partition(":")
    if found and colon:
        values["store"] = f"{scheme}://{name}{at}{host}"
        values["store_password"] = SecretStr(unquote(password))
