"""All settings in one table, read from flags, the environment (`AI_MEMORY_…`), a TOML file and defaults, in that order.

Only `wiring` builds a Settings from the environment; everything else is given the values it needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ai_memory.errors import InvalidInputError
from ai_memory.places import ENVIRONMENT_PREFIX, default_config_file, default_data_dir


class Settings(BaseSettings):
    """Every setting, its type, default and meaning."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of the store, models and caches.")
    store: str = Field(
        default="",
        description="Path of the store, or neo4j://USER@HOST:PORT/DATABASE; empty means memory.db in data_dir.",
    )
    store_password: SecretStr = Field(
        default=SecretStr(""), description="Password of the store's user, where the store is a Neo4j database."
    )
    offline: bool = Field(default=False, description="Refuse every network call except to loopback addresses.")
    host: str = Field(default="127.0.0.1", description="Address that the server listens on.")
    port: int = Field(default=7677, ge=0, le=65535, description="Port that the server listens on; 0 picks a free one.")
    api_keys: dict[str, list[SecretStr]] = Field(
        default_factory=dict,
        description='Keys by namespace, such as {"default": ["…"]}; "*" opens all. Optional on loopback, required elsewhere.',
    )
    allowed_hosts: list[str] = Field(
        default_factory=list,
        description="Host names that requests may use besides loopback names and the host; protects against DNS rebinding.",
    )
    max_body_bytes: int = Field(
        default=16_777_216, ge=1024, description="Largest request body in bytes; import is not limited."
    )
    max_concurrent_requests: int = Field(
        default=64,
        ge=1,
        description="Requests in progress at once; up to four times as many wait, and any others get 429.",
    )
    shutdown_seconds: float = Field(
        default=20.0, ge=0, description="Seconds that a stopping server gives requests in progress."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line shown."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="Log lines as JSON or text; auto is text on a terminal, JSON elsewhere."
    )
    model: str = Field(
        default="auto",
        description="Embedder: auto (EmbeddingGemma where found, else all-MiniLM-L6-v2), none, a known name, or a model folder.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        default="auto", description="Arithmetic of the embedder; never float16."
    )
    dimension: int = Field(
        default=0,
        ge=0,
        le=8192,
        description="Length of the vectors, where the model has several (EmbeddingGemma: 768, 512, 256, 128); 0 is the "
        "store's, in a new store the model's.",
    )
    threads: int = Field(default=0, ge=0, description="Threads of the embedder; 0 means all cores.")
    embedder_url: str = Field(
        default="",
        description="Address of another service whose embedder is used, such as http://gpu:7677; model, dtype and threads are its.",
    )
    embedder_api_key: SecretStr = Field(default=SecretStr(""), description="API key of the service at embedder_url.")
    embedder_timeout: float = Field(
        default=60.0, gt=0, description="How many seconds the service at embedder_url may take for one answer."
    )
    preload: bool = Field(
        default=True, description="Load the model when the server starts rather than at the first use."
    )
    busy_timeout_seconds: float = Field(
        default=30.0, ge=0, description="How long a write waits for another process that holds the store's lock."
    )
    extract: bool = Field(
        default=True,
        description="Extract in the background what memories name and state, for the graph; without a language model.",
    )
    snapshot_rows: int = Field(
        default=20_000,
        ge=0,
        description="Save the index next to the store after this many new passages; 0 never saves it.",
    )
    recipe_file: str = Field(
        default="",
        description="File of recall weights written by `ai-memory tune`; empty means recipe.json in data_dir, if it exists.",
    )
    forget_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Bulk forgetting is refused when it would erase more than this share of a namespace.",
    )

    @field_validator("data_dir", mode="after")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="before")
    @classmethod
    def _hide_password(cls, values: Any) -> Any:
        """Move a password in the store's address to `store_password`, which is masked."""
        if not isinstance(values, dict) or not isinstance(values.get("store"), str) or "://" not in values["store"]:
            return values
        scheme, _, rest = values["store"].partition("://")
        user, at, host = rest.rpartition("@")
        name, colon, password = user.partition(":")
        if not colon:
            return values
        return {**values, "store": f"{scheme}://{name}{at}{host}", "store_password": unquote(password)}

    @property
    def store_place(self) -> str:
        """The store's address, or its file's path."""
        return self.store if "://" in self.store else str(self.store_path)

    @property
    def beside_store(self) -> Path:
        """The base name of files derived from the store: the store's path, or a name in data_dir for a store on a server."""
        if "://" not in self.store:
            return self.store_path
        return self.data_dir / f"store-{hashlib.blake2b(self.store.encode(), digest_size=8).hexdigest()}"

    @property
    def store_path(self) -> Path:
        """The SQLite file."""
        return Path(self.store).expanduser().absolute() if self.store else self.data_dir / "memory.db"

    @property
    def recipe_path(self) -> Path:
        """The file of tuned recall weights, which may not exist."""
        return Path(self.recipe_file).expanduser().absolute() if self.recipe_file else self.data_dir / "recipe.json"

    @property
    def models_dir(self) -> Path:
        """Where fetched models are kept."""
        return self.data_dir / "models"

    @property
    def cache_dir(self) -> Path:
        """Derived files that may be deleted at any time: compiled models."""
        return self.data_dir / "cache"


def load_settings(config_file: Path | None = None, **flags: Any) -> Settings:
    """Settings from `flags` (None means not given), the environment, and `config_file` where it exists.

    Raises pydantic.ValidationError naming each wrong setting.
    """
    file = config_file if config_file is not None else default_config_file()

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del dotenv_settings, file_secret_settings
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    return FromFile(**{name: value for name, value in flags.items() if value is not None})


def given_settings(flags: Mapping[str, Any]) -> Settings:
    """As `load_settings`, for programs: paths may be `PathLike`, wrong values raise one InvalidInputError that names them."""
    given = {name: str(value) if isinstance(value, PathLike) else value for name, value in flags.items()}
    try:
        return load_settings(None, **given)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise InvalidInputError(
            f"wrong settings: {'; '.join(wrong)}", hint="ai-memory help settings", settings=wrong
        ) from None
