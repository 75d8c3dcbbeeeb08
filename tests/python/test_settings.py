"""The settings: where each value comes from, how it is read, and how every wrong one is named without showing a secret."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest

from ai_memory.environment import PREFIX
from ai_memory.errors import InvalidInputError
from ai_memory.places import data_folder
from ai_memory.settings import MASK, SecretStr, Settings, data_dir_in, given_settings, load_settings, settings_table


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in settings_table():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def wrong(flags: dict[str, object], file: Path | None = None) -> list[str]:
    with pytest.raises(InvalidInputError, match=r"^wrong settings: ") as refused:
        load_settings(file, **flags)
    named: list[str] = refused.value.details["settings"]
    assert all(each in refused.value.message for each in named)
    return named


def test_flags_come_before_the_environment_before_the_file_before_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, 'port = 1\nhost = "file"\nmodel = "file"\n')
    monkeypatch.setenv("AI_MEMORY_PORT", "2")
    monkeypatch.setenv("ai_memory_host", "environment")
    settings = load_settings(file, port=3, threads=None)
    assert (settings.port, settings.host, settings.model, settings.threads) == (3, "environment", "file", 0)


def test_the_users_own_file_is_read_where_none_is_named(tmp_path: Path) -> None:
    own = tmp_path / "config" / "ai-memory"
    own.mkdir(parents=True)
    (own / "config.toml").write_text("port = 4", encoding="utf-8")
    assert load_settings().port == given_settings({}).port == 4
    assert load_settings(tmp_path / "absent.toml").port == 7677


def test_a_value_of_settings_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_MEMORY_PORT", "high")
    assert Settings().port == 7677


def test_tables_of_several_sources_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, '[api_keys]\na = ["file"]\nb = ["file"]\n')
    monkeypatch.setenv("AI_MEMORY_API_KEYS", '{"b": ["environment"]}')
    assert load_settings(file).api_keys == {"a": [SecretStr("file")], "b": [SecretStr("environment")]}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("offline", "yes", True),
        ("offline", " OFF ", False),
        ("offline", "True", True),
        ("offline", "0", False),
        ("port", " 80 ", 80),
        ("shutdown_seconds", "2.5", 2.5),
        ("shutdown_seconds", "3", 3.0),
        ("allowed_hosts", '["a", "b"]', ["a", "b"]),
        ("log_level", "debug", "debug"),
        ("store", "", ""),
    ],
)
def test_how_the_environment_is_read(name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), text)
    found = getattr(load_settings(), name)
    assert (found, type(found)) == (value, type(value))


def test_programs_give_paths_tuples_and_secrets_of_other_libraries(tmp_path: Path) -> None:
    class Other:
        def get_secret_value(self) -> str:
            return "theirs"

    flags = {"store": tmp_path / "a.db", "data_dir": tmp_path, "allowed_hosts": ("a",), "api_keys": {"*": [Other()]}}
    settings = given_settings(flags)
    assert (settings.store, settings.data_dir) == (str(tmp_path / "a.db"), tmp_path)
    assert (settings.allowed_hosts, settings.api_keys["*"][0].get_secret_value()) == (["a"], "theirs")
    assert Settings(data_dir=Path("here")).data_dir == Path.cwd() / "here"


def test_every_wrong_setting_is_named_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, 'porte = 1\nhost = 5\n[api_keys]\n"*" = "no list"\n')
    monkeypatch.setenv("AI_MEMORY_PORT", "high")
    monkeypatch.setenv("AI_MEMORY_ALLOWED_HOSTS", "no JSON")
    monkeypatch.setenv("AI_MEMORY_LOG_LEVEL", "loud")
    assert wrong({"threads": -1, "nothing": 1}, file) == [
        "threads: expected a whole number of at least 0, got -1",
        "nothing: there is no such setting",
        "port: expected a whole number, got 'high' (in AI_MEMORY_PORT)",
        "allowed_hosts: expected a JSON list, got 'no JSON' (in AI_MEMORY_ALLOWED_HOSTS)",
        "log_level: expected one of debug, info, warning, error, got 'loud' (in AI_MEMORY_LOG_LEVEL)",
        f"porte: there is no such setting; did you mean port? (in {file}, line 1)",
        f"host: expected text, got 5 (in {file}, line 2)",
        f"api_keys: expected a list (in {file}, line 3)",
    ]


@pytest.mark.parametrize(
    "bounds",
    [
        {"port": 65536},
        {"dimension": 8193},
        {"max_body_bytes": 1023},
        {"max_concurrent_requests": 0},
        {"embedder_timeout": 0},
        {"forget_share": 1.1},
        {"shutdown_seconds": float("nan")},
        {"port": True},
        {"port": 1.5},
        {"port": ""},
        {"offline": 2},
        {"data_dir": 5},
        {"dtype": "float16"},
        {"store_password": 5},
    ],
)
def test_bounds_and_types_are_held_by_the_value_itself(bounds: dict[str, object]) -> None:
    (name,) = bounds
    with pytest.raises(InvalidInputError, match=f"wrong settings: {name}: expected"):
        Settings(**bounds)  # type: ignore[arg-type]
    assert len(wrong(bounds)) == 1


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "port = [")
    with pytest.raises(InvalidInputError, match="is not valid TOML"):
        load_settings(file)
    with pytest.raises(InvalidInputError, match="is not valid TOML"):
        data_dir_in(file)
    assert data_folder("given", lambda: data_dir_in(file)) == Path.cwd() / "given"


def test_the_data_folder_alone_does_not_mind_what_else_is_wrong(tmp_path: Path) -> None:
    assert data_dir_in(written(tmp_path, f'port = "high"\ndata_dir = "{tmp_path}"\n')) == tmp_path
    assert data_dir_in(written(tmp_path, "port = 1")) is None
    with pytest.raises(InvalidInputError, match="data_dir"):
        data_dir_in(written(tmp_path, "data_dir = 5"))


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        store="neo4j://ada:hidden%2F1@host/db",
        api_keys={"*": [SecretStr("hidden2")]},
        embedder_api_key=SecretStr("hidden3"),
    )
    assert (settings.store, settings.store_password.get_secret_value()) == ("neo4j://ada@host/db", "hidden/1")
    assert "hidden" not in f"{settings!r} {settings} {settings.masked()} {msgspec.json.encode(settings.masked())!r}"
    shown = settings.masked()
    assert (shown["store_password"], shown["api_keys"]) == (MASK, {"*": [MASK]})
    assert Settings().masked()["store_password"] == ""
    monkeypatch.setenv("AI_MEMORY_API_KEYS", '["hidden4"]')
    assert "hidden" not in str(wrong({}))
    assert "hidden" not in str(wrong({"api_keys": "hidden5 no JSON"}))


def test_settings_are_values_that_do_not_change(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, store_password=SecretStr("a"))
    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]
    assert msgspec.structs.replace(settings, port=1).port == 1
    assert (
        settings == Settings(data_dir=tmp_path, store_password=SecretStr("a")) == pickle.loads(pickle.dumps(settings))
    )
    assert settings != Settings(data_dir=tmp_path, store_password=SecretStr("b"))
    with pytest.raises(InvalidInputError, match="port"):
        msgspec.structs.replace(settings, port=-1)
