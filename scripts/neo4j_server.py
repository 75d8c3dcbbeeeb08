"""A Neo4j Community server for tests and trials: `scripts/neo4j fetch | start | stop | status [newest | lts | all]`.

`fetch` brings the server's jars from Maven Central, at pinned versions, into `.cache/neo4j/VERSION/lib`. `start` runs one on
loopback with a scratch folder, a free port and a random password, waits until it answers, and writes where it is to
`.cache/neo4j/VERSION/server.json` (mode 0600); `stop` ends it by its process id and deletes the scratch folder. Only the
standard library is used, so that it runs before anything is installed. Exit status: 0 done, 1 failed, 3 when this machine lacks
what it takes (Java, Maven, the repository), with the reason on the last line.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "neo4j"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
FETCH_SECONDS = 600
START_SECONDS = 240
STOP_SECONDS = 60
UNAVAILABLE = 3

JAVA_HOMES = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
)
"""Where the platforms' packages and the common installers put JDKs."""

BOLT_HELLO = bytes.fromhex("6060b017" + "00000005" + "00040404" + "00000104" + "00000000")
"""The handshake of the Bolt protocol: its magic number and four versions that would do (https://neo4j.com/docs/bolt)."""


class UnavailableError(Exception):
    """This machine lacks something that the server needs; the message says what."""


@dataclass(frozen=True)
class Line:
    """One line of server releases: its pinned version, its main class, and the Java versions it runs on."""

    name: str
    version: str
    main: str
    java: range

    @property
    def folder(self) -> Path:
        """Where the jars lie."""
        return CACHE / self.version

    @property
    def record(self) -> Path:
        """Where `start` says how to reach the server."""
        return self.folder / "server.json"


LINES = {
    line.name: line
    for line in (
        Line("newest", "2026.08.1", "org.neo4j.server.Neo4jCommunity", range(21, 100)),
        Line("lts", "5.26.30", "org.neo4j.server.CommunityEntryPoint", range(17, 22)),
    )
}

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>neo4j-jars</artifactId><version>1</version><dependencies>
<dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{version}</version></dependency>
<dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>{version}</version></dependency>
</dependencies></project>
"""

_CONFIGURATION = """server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=128m
db.tx_log.preallocate=false
dbms.usage_report.enabled=false
"""


@dataclass
class Server:
    """One server process over a folder of its own; it may be stopped, killed and started again on the same data."""

    line: Line
    home: Path
    port: int = 0
    password: str = ""
    user: str = "neo4j"
    settings: Sequence[str] = ()
    """More lines of `neo4j.conf`."""
    wrapper: Sequence[str] = ()
    """What the command is run by, such as a shell that sets limits."""
    pid: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def uri(self) -> str:
        """Where it is reached, without user and password."""
        return f"neo4j://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run the server and wait until it answers. Raises UnavailableError without jars or Java, RuntimeError if it fails."""
        java = find_java(self.line.java)
        jars = self.line.folder / "lib"
        if not jars.is_dir():
            raise UnavailableError(f"the jars of Neo4j {self.line.version} are not there: run scripts/neo4j fetch")
        self.port = self.port or free_port()
        self._configure(java, jars)
        log = self.home / "console.log"
        command = [
            *self.wrapper, str(java), "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{jars}/*", self.line.main,
            f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}", "--console-mode",
        ]  # fmt: skip
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.pid = self._process.pid
        deadline = time.monotonic() + START_SECONDS
        while not (b"Started." in log.read_bytes() and answers(self.port)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(
                    f"Neo4j {self.line.version} did not start:\n{log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask the server to end and wait for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)
            self._process = None
        elif is_server(self.pid):
            os.kill(self.pid, how)
            deadline = time.monotonic() + STOP_SECONDS
            while is_server(self.pid) and time.monotonic() < deadline:
                time.sleep(0.1)
        self.pid = 0

    def _configure(self, java: Path, jars: Path) -> None:
        """Write the configuration; for a new folder, set a password before anyone can reach the server."""
        folder = self.home / "conf"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [_CONFIGURATION.format(port=self.port), *self.settings]
        (folder / "neo4j.conf").write_text("\n".join(lines), encoding="utf-8")
        if self.password:
            return
        self.password = secrets.token_hex(16)  # no sign that the command line could take for an option
        admin = [
            str(java),
            "-cp",
            f"{jars}/*",
            "org.neo4j.cli.AdminTool",
            "dbms",
            "set-initial-password",
            self.password,
        ]
        environment = os.environ | {"NEO4J_HOME": str(self.home), "NEO4J_CONF": str(folder)}
        done = subprocess.run(admin, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the password of Neo4j could not be set:\n{done.stdout}{done.stderr}")


def find_java(versions: range) -> Path:
    """A `java` of one of these versions: JAVA_HOME's, the PATH's, or the oldest that fits where JDKs are installed."""
    found: dict[int, Path] = {}
    for java in _javas():
        version = java_version(java)
        if version in versions:
            if os.environ.get("JAVA_HOME") and java.is_relative_to(os.environ["JAVA_HOME"]):
                return java
            found.setdefault(version, java)
    if not found:
        raise UnavailableError(
            f"no Java {versions.start} to {versions.stop - 1} was found: install one or set JAVA_HOME"
        )
    return found[min(found)]


def _javas() -> Iterator[Path]:
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parent.parent)
    for pattern in JAVA_HOMES:
        root, _, rest = str(Path(pattern).expanduser()).partition("/*")
        homes.extend(sorted(Path(root).glob("*" + rest)))
    for home in homes:
        if (home / "bin" / "java").exists():
            yield home / "bin" / "java"


def java_version(java: Path) -> int:
    """The feature version of a Java, 0 when it does not say."""
    try:
        said = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False, timeout=30).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = said.partition('"')[2].split(".")[0].split("-")[0].split('"')[0]
    return int(number) if number.isdigit() else 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a server speaks Bolt on this port of loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(BOLT_HELLO)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def is_server(pid: int) -> bool:
    """Whether the process with this id is a Neo4j server (and not another one that was given the number since)."""
    if pid <= 0:
        return False
    try:
        said = subprocess.run(
            ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
    except OSError:
        return False
    return "org.neo4j.server" in said and not said.startswith("Z")


def fetch(line: Line) -> None:
    """Bring the jars of a line; nothing is done where they are. Raises UnavailableError."""
    target = line.folder / "lib"
    if target.is_dir():
        return
    find_java(line.java)
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("Maven was not found: install mvn")
    line.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=line.folder) as name:
        part = Path(name)
        (part / "pom.xml").write_text(_POM.format(version=line.version), encoding="utf-8")
        command = [maven, "-q", "-B", "-f", str(part / "pom.xml"), MAVEN_PLUGIN, "-DincludeScope=runtime"]
        try:
            done = subprocess.run(
                [*command, f"-DoutputDirectory={part / 'lib'}"],
                capture_output=True, text=True, check=False, timeout=FETCH_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"Maven brought no jars within {FETCH_SECONDS} seconds") from None
        if done.returncode:
            raise UnavailableError(f"Maven could not bring Neo4j {line.version}: {done.stdout.strip()[-500:]}")
        (part / "lib").rename(target)


def running(line: Line) -> Server | None:
    """The server that `start` has started, or None."""
    try:
        values = json.loads(line.record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    server = Server(line, Path(values["home"]), values["port"], values["password"], values["user"], pid=values["pid"])
    return server if is_server(server.pid) and answers(server.port) else None


def start(line: Line) -> Server:
    """Start a line's server with a scratch folder, or find the one that runs."""
    fetch(line)
    server = running(line)
    if server is None:
        server = Server(line, Path(tempfile.mkdtemp(prefix="scratch-", dir=line.folder)))
        server.start()
        values = {name: getattr(server, name) for name in ("port", "password", "user", "pid")}
        descriptor = os.open(line.record, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values | {"uri": server.uri, "home": str(server.home)}, file)
    return server


def stop(line: Line) -> None:
    """Stop a line's server, if it runs, and delete its scratch folder."""
    server = running(line)
    if server is not None:
        server.stop()
    line.record.unlink(missing_ok=True)
    for scratch in line.folder.glob("scratch-*"):
        shutil.rmtree(scratch, ignore_errors=True)


def main(arguments: Sequence[str]) -> int:
    """Carry out one command for one line or all."""
    command, which = (*arguments, "", "")[:2]
    which = which or "all"
    if command not in ("fetch", "start", "stop", "status") or which not in (*LINES, "all"):
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 1
    try:
        for line in LINES.values():
            if which in (line.name, "all"):
                _carry_out(command, line)
    except UnavailableError as error:
        print(f"no Neo4j here: {error}")
        return UNAVAILABLE
    return 0


def _carry_out(command: str, line: Line) -> None:
    if command == "fetch":
        fetch(line)
        print(f"Neo4j {line.version}: {line.folder / 'lib'}")
    elif command == "start":
        print(f"Neo4j {line.version}: {start(line).uri}, password in {line.record}")
    elif command == "stop":
        stop(line)
        print(f"Neo4j {line.version}: stopped")
    else:
        server = running(line)
        print(f"Neo4j {line.version}: {f'{server.uri}, process {server.pid}' if server else 'not running'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
