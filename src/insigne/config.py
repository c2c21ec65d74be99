"""The configuration: one frozen object, read once, assembled from the settings each room declares.

One TOML file, environment variables and `--set` give values, each stronger than the one before; what none gives keeps
its default. Every key is a field of `Config`; anything else is refused with the nearest valid key.

- `INSIGNE_MLLP__PORT=2600` sets `mllp.port`. A variable without `__` counts only if it names a key of the first level
  (`INSIGNE_ENVIRONMENT`), so that what an orchestrator or a secret puts beside them is left alone.
- `--set mllp.port=2600`: the value is read as TOML (`["ri"]`, `true`, `2600`); where the key is a text, or the value is
  not TOML, it is taken as it stands.
- A secret is never a value: the key ends in `_file` (path of a file that holds it) or `_env` (name of a variable).
"""

import difflib
import re
import tomllib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from insigne.access.settings import AccessSettings
from insigne.api.settings import HttpSettings
from insigne.dmp.settings import DmpSettings
from insigne.documents.settings import DocumentSettings
from insigne.exchange.delivery.settings import DeliverySettings
from insigne.exchange.settings import ExchangeSettings, SenderSettings
from insigne.exchange.silence import AlarmSettings
from insigne.ins.settings import ComparisonSettings, ProofSettings
from insigne.insi.settings import InsiSettings
from insigne.pam.encode.settings import SubscriptionSettings
from insigne.registry.settings import AuthoritySettings, RegistrySettings
from insigne.store.settings import RetentionSettings, StoreSettings
from insigne.transport.settings import (
    FolderDestination,
    FolderSettings,
    FtpDestination,
    MllpDestination,
    MllpSettings,
    RemoteFolderSettings,
    SftpDestination,
    WebhookDestination,
)
from insigne.web.settings import EnrolmentSettings

ENVIRONMENT_PREFIX = "INSIGNE_"
DATABASE_FILE = "insigne.db"


class RiSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Role `ri`: the authorities whose strict traits are edited here; every other one is consumed."""

    authorities: tuple[str, ...] = ("INSIGNE",)


class DestinationSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A system that is told of identities: how it is reached, what it is told and how, in what order."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    """Its messages are kept under that name: a destination that is given another one is a new destination."""
    mllp: MllpDestination | None = None
    folder: FolderDestination | None = None
    sftp: SftpDestination | None = None
    ftp: FtpDestination | None = None
    webhook: WebhookDestination | None = None
    """How it is reached: one of the five. An application reached by webhook is told changes, not messages."""
    subscription: SubscriptionSettings = SubscriptionSettings()
    delivery: DeliverySettings = DeliverySettings()

    def __post_init__(self) -> None:
        """Refuse a destination that is nowhere, or at two places."""
        if sum(way is not None for way in (self.mllp, self.folder, self.sftp, self.ftp, self.webhook)) != 1:
            ways = "mllp, folder, sftp, ftp, webhook"
            raise ValueError(f"destination {self.name}: give one of {ways}: the way it is reached")


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting of the product."""

    environment: Literal["production", "test"] = "production"
    roles: tuple[Literal["ri", "consumer", "pfi"], ...] = ("ri", "consumer")
    mllp: MllpSettings = MllpSettings()
    folders: tuple[FolderSettings, ...] = ()
    remote_folders: tuple[RemoteFolderSettings, ...] = ()
    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    ri: RiSettings = RiSettings()
    registry: RegistrySettings = RegistrySettings()
    proof: ProofSettings = ProofSettings()
    comparison: ComparisonSettings = ComparisonSettings()
    authorities: tuple[AuthoritySettings, ...] = ()
    senders: tuple[SenderSettings, ...] = ()
    destinations: tuple[DestinationSettings, ...] = ()
    exchange: ExchangeSettings = ExchangeSettings()
    alarms: AlarmSettings = AlarmSettings()
    insi: InsiSettings = InsiSettings()
    access: AccessSettings = AccessSettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    documents: DocumentSettings = DocumentSettings()
    dmp: DmpSettings = DmpSettings()

    def __post_init__(self) -> None:
        """Refuse two destinations of one name, whose messages would be in one queue, and answers to none."""
        names = [destination.name for destination in self.destinations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"destinations: {', '.join(twice)} is there twice: give each a name of its own")
        answered = {"senders.application_answers": {one.application_answers for one in self.senders} - {""}}
        answered["dmp.answers"] = set(self.dmp.answers.values())
        answered["dmp.mss.mailboxes.destination"] = {box.destination for box in self.dmp.mss.mailboxes} - {""}
        for key, destinations in answered.items():
            unknown = sorted(destinations - set(names))
            if unknown:
                raise ValueError(
                    f"{key}: there is no destination named {', '.join(unknown)}: add it to [[destinations]]"
                )


class ConfigError(Exception):
    """The configuration cannot be used. The text names file or variable, key, reason and remedy."""


class Origin(Struct, frozen=True):
    """Where a value comes from; `source` is the file or the variable."""

    kind: Literal["default", "file", "environment", "--set"]
    source: str = ""

    def __str__(self) -> str:
        return self.source or self.kind


DEFAULT = Origin("default")


class LoadedConfig(Struct, frozen=True):
    """The configuration, the origin of each key that was given (dotted), and the data folder it goes with."""

    config: Config
    origins: Mapping[str, Origin]
    data_dir: Path


class EffectiveValue(Struct, frozen=True):
    """A key with the value in use, fit to be shown, and where it comes from."""

    key: str
    value: object
    origin: str
    source: str


class _Given(NamedTuple):
    """A value for a key, from one source, before its type is checked."""

    key: str
    value: Any
    origin: Origin


def load(
    config_file: Path | None, overrides: Sequence[str], environ: Mapping[str, str], data_dir: Path
) -> LoadedConfig:
    """Read the configuration from its sources, the weakest first. Raises ConfigError."""
    given = [*_from_file(config_file), *_from_environment(environ), *_from_overrides(overrides)]
    tree: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for item in given:
        _check_value(item)
        *tables, leaf = item.key.split(".")
        table = tree
        for name in tables:
            table = table.setdefault(name, {})
        table[leaf] = item.value
        origins[item.key] = item.origin
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:  # each key alone is right: one is missing beside them, or they disagree
        reason, where = _reason_and_path(error)
        sources = [str(origin) for key, origin in origins.items() if f".{key}".startswith(where)]
        parts = (", ".join(dict.fromkeys(sources)), where.lstrip("."), reason)  # no key when it is about several
        raise ConfigError(": ".join(part for part in parts if part)) from error
    return LoadedConfig(config, origins, data_dir)


def store_url(loaded: LoadedConfig) -> str:
    """Return the address of the base: `store.url`, else the SQLite file of the data folder."""
    return loaded.config.store.url or f"sqlite:///{(loaded.data_dir / DATABASE_FILE).resolve()}"


def effective_values(loaded: LoadedConfig) -> list[EffectiveValue]:
    """Return every key in the order of `Config`, passwords masked."""
    values = []
    for key, value in _leaves(msgspec.to_builtins(loaded.config), Config):
        origin = loaded.origins.get(key, DEFAULT)
        values.append(EffectiveValue(key, _masked(value), origin.kind, origin.source))
    return values


def _from_file(path: Path | None) -> Iterator[_Given]:
    if path is None:
        return
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; --config names the configuration file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    origin = Origin("file", str(path))
    for key, value in _leaves(document, Config):
        yield _Given(key, value, origin)


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Given]:
    first_level = {name for name, kind in _fields(Config).items() if _table(kind) is None}
    for variable, text in environ.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            if "." in key or key in first_level:
                yield _from_text(key, text, Origin("environment", variable))


def _from_overrides(overrides: Sequence[str]) -> Iterator[_Given]:
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigError(f"--set {override}: no value; write --set KEY=VALUE")
        yield _from_text(key.strip(), text.strip(), Origin("--set"))


def _from_text(key: str, text: str, origin: Origin) -> _Given:
    """Read a value given as text: as TOML, or as it stands when it is not TOML or the key wants a text."""
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return _Given(key, text, origin)
    value = document["value"] if len(document) == 1 else text
    wants_text = _type_of(key, origin) is str and not isinstance(value, str)
    return _Given(key, text if wants_text else value, origin)


def _fields(settings: type[Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(settings)}


def _table(kind: object) -> type[Struct] | None:
    """Return the settings a key holds, optional or not; None for a value, a list among them."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    if isinstance(kind, types.UnionType):
        return next((found for part in get_args(kind) if (found := _table(part)) is not None), None)
    return None


def _items(kind: object) -> type[Struct] | None:
    """Return the settings that are the items of a list; None when it holds plain values."""
    return next((found for part in get_args(kind) if (found := _table(part) or _items(part)) is not None), None)


def _item_at(kind: object, path: str) -> type[Struct] | None:
    """Return the settings at a path below a list, as in `[0].mllp`; None when there are none."""
    found = _items(kind)
    for name in re.findall(r"\.(\w+)", path):
        found = _table(_fields(found).get(name)) or _items(_fields(found).get(name)) if found is not None else None
    return found


def _choices(kind: object) -> tuple[str, ...]:
    """Return the values allowed where only some are."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((found for part in get_args(kind) if (found := _choices(part))), ())


def _leaves(document: Mapping[str, Any], settings: type[Struct], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and value of each setting; a list, or a key that does not exist, is one leaf."""
    fields = _fields(settings)
    for name, value in document.items():
        kind = fields.get(name)
        table = _table(kind)
        if table is not None and isinstance(value, Mapping):
            yield from _leaves(value, table, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _type_of(key: str, origin: Origin) -> object:
    """Return the type of a dotted key. Raises ConfigError when there is no such key."""
    kind: object = Config
    names = key.split(".")
    for depth, name in enumerate(names):
        table = _table(kind)
        if table is None:
            raise ConfigError(f"{origin}: {key}: {'.'.join(names[:depth])} is a value, it has no key {name!r}")
        fields = _fields(table)
        if name not in fields:
            path = ".".join([*names[:depth], name])
            raise ConfigError(f"{origin}: {path}: unknown key; {_nearest(name, names[:depth], fields)}")
        kind = fields[name]
    return kind


def _nearest(name: str, tables: Sequence[str], fields: Iterable[str]) -> str:
    """Say which valid key is nearest: in this table first, then among all keys."""
    prefix = "".join(f"{table}." for table in tables)
    here = {field: prefix + field for field in fields}
    elsewhere = {key.rsplit(".", 1)[-1]: key for key, _ in _leaves(msgspec.to_builtins(Config()), Config)}
    for keys in (here, elsewhere):
        if close := difflib.get_close_matches(name, keys, n=1):
            return f"did you mean {keys[close[0]]}?"
    return f"valid keys here: {', '.join(here.values())}"


def _check_value(item: _Given) -> None:
    """Raise ConfigError unless the value has the type its key wants."""
    kind = _type_of(item.key, item.origin)
    table = _table(kind)
    if table is not None:
        first = next(iter(_fields(table)))
        raise ConfigError(f"{item.origin}: {item.key}: holds settings; give each its value, as in {item.key}.{first}")
    try:
        msgspec.convert(item.value, type=kind)
    except msgspec.ValidationError as error:
        reason, path = _reason_and_path(error)
        where = item.key + path
        unknown = re.fullmatch(r"Object contains unknown field `(.*)`", reason)
        items = _item_at(kind, path)
        if unknown and items is not None:
            where, reason = f"{where}.{unknown[1]}", f"unknown key; {_nearest(unknown[1], (), _fields(items))}"
        elif choices := _choices(kind):
            reason = f"{reason}; one of {', '.join(choices)}"
        raise ConfigError(f"{item.origin}: {where}: {reason}") from error


def _reason_and_path(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split `Expected `int` - at `$.a[0]`` into its reason and `.a[0]`, the path below the value converted."""
    reason, _, path = str(error).partition(" - at `$")
    return reason, path.rstrip("`")


def _masked(value: object) -> object:
    """Hide the passwords that URLs may carry."""
    match value:
        case str():
            return re.sub(r"(://[^:/@]*:)[^@]*@", r"\1***@", value)
        case list() | tuple():
            return [_masked(item) for item in value]
        case dict():
            return {key: _masked(item) for key, item in value.items()}
        case _:
            return value
