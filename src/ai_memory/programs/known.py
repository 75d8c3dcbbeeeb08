"""The programs: where each keeps its settings on each system, in which form, and what an entry looks like."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ai_memory.environment import variable
from ai_memory.programs.editing import Form


class Server(NamedTuple):
    """What a program starts: a command with its arguments, and the variables that it gets."""

    command: str
    arguments: list[str]
    variables: dict[str, str]


class Program(NamedTuple):
    """One program that starts MCP servers."""

    name: str
    title: str
    file: Callable[[], Path]
    """Where its settings are for this user."""
    form: Form
    path: tuple[str, ...]
    """The names that lead to the table of servers."""
    write: Callable[[Server], dict[str, Any]]
    """The entry of a server, as the program writes it."""
    present: Callable[[Path], Path] = lambda file: file.parent
    """The file or folder that shows that the program is there."""

    @property
    def is_there(self) -> bool:
        """Whether this user has the program."""
        return self.file().is_file() or self.present(self.file()).exists()


def server_in(entry: Any) -> Server | None:
    """The server of an entry in whichever of the forms; None where it is none that is started by a command."""
    if not isinstance(entry, dict):
        return None
    command: Any = entry.get("command", entry.get("cmd"))
    arguments = entry.get("args", [])
    if isinstance(command, dict):  # Zed of before 2026
        command, arguments = command.get("path"), command.get("args", [])
    if isinstance(command, list) and command:
        command, arguments = command[0], command[1:]
    variables = entry.get("env") or entry.get("envs") or entry.get("environment") or {}
    if not isinstance(command, str) or not isinstance(arguments, list) or not isinstance(variables, dict):
        return None
    return Server(
        command, [str(each) for each in arguments], {str(name): str(each) for name, each in variables.items()}
    )


def _home(*parts: str) -> Callable[[], Path]:
    return lambda: Path.home().joinpath(*parts)


def _config(*parts: str) -> Callable[[], Path]:
    """A file below the folder for settings of programs with windows."""

    def place() -> Path:
        if sys.platform == "darwin":
            return Path.home().joinpath("Library", "Application Support", *parts)
        if sys.platform == "win32":
            return Path(variable("APPDATA") or Path.home() / "AppData" / "Roaming").joinpath(*parts)
        return Path(variable("XDG_CONFIG_HOME") or Path.home() / ".config").joinpath(*parts)

    return place


def _xdg(*parts: str) -> Callable[[], Path]:
    """A file below ~/.config, on every system."""
    return lambda: Path(variable("XDG_CONFIG_HOME") or Path.home() / ".config").joinpath(*parts)


def _usual(server: Server) -> dict[str, Any]:
    entry: dict[str, Any] = {"command": server.command, "args": server.arguments}
    return {**entry, "env": server.variables} if server.variables else entry


def _typed(server: Server) -> dict[str, Any]:
    return {"type": "stdio", **_usual(server)}


def _goose(server: Server) -> dict[str, Any]:
    return {
        "name": "memory",
        "type": "stdio",
        "cmd": server.command,
        "args": server.arguments,
        "envs": server.variables,
        "enabled": True,
        "timeout": 300,
    }


def _opencode(server: Server) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "local", "command": [server.command, *server.arguments], "enabled": True}
    return {**entry, "environment": server.variables} if server.variables else entry


def _zed(server: Server) -> dict[str, Any]:
    return {"source": "custom", **_usual(server)}


_CLINE = ("Code", "User", "globalStorage", "saoudrizwan.claude-dev", "settings", "cline_mcp_settings.json")
_SERVERS = ("mcpServers",)

PROGRAMS: dict[str, Program] = {
    each.name: each
    for each in (
        Program(
            "claude-code",
            "Claude Code",
            _home(".claude.json"),
            "json",
            _SERVERS,
            _typed,
            lambda _: Path.home() / ".claude",
        ),
        Program(
            "claude-desktop",
            "Claude Desktop",
            _config("Claude", "claude_desktop_config.json"),
            "json",
            _SERVERS,
            _usual,
        ),
        Program("cursor", "Cursor", _home(".cursor", "mcp.json"), "json", _SERVERS, _usual),
        Program("vscode", "VS Code", _config("Code", "User", "mcp.json"), "json", ("servers",), _typed),
        Program("codex", "Codex", _home(".codex", "config.toml"), "toml", ("mcp_servers",), _usual),
        Program("gemini", "Gemini CLI", _home(".gemini", "settings.json"), "json", _SERVERS, _usual),
        Program("windsurf", "Windsurf", _home(".codeium", "windsurf", "mcp_config.json"), "json", _SERVERS, _usual),
        Program("zed", "Zed", _xdg("zed", "settings.json"), "json", ("context_servers",), _zed),
        Program("cline", "Cline", _config(*_CLINE), "json", _SERVERS, _usual),
        Program("goose", "Goose", _xdg("goose", "config.yaml"), "yaml", ("extensions",), _goose),
        Program("opencode", "OpenCode", _xdg("opencode", "opencode.json"), "json", ("mcp",), _opencode),
        Program("copilot-cli", "Copilot CLI", _home(".copilot", "mcp-config.json"), "json", _SERVERS, _typed),
        Program("kiro", "Kiro", _home(".kiro", "settings", "mcp.json"), "json", _SERVERS, _usual),
        Program("lm-studio", "LM Studio", _home(".lmstudio", "mcp.json"), "json", _SERVERS, _usual),
    )
}
