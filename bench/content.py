"""What a base holds, read from its tables by other means than the product's: for comparing two bases."""

import hashlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

PROJECTIONS = ("identity", "identifier", "encounter", "encounter_key", "work_item")


def rows(base: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one reading."""
    with closing(sqlite3.connect(f"{base.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def log(base: Path) -> Iterator[tuple[str, str, bytes]]:
    """Control id, disposition and bytes of every message, in order of arrival."""
    yield from rows(base, "SELECT control_id, disposition, raw FROM message ORDER BY id")


def projections(base: Path) -> str:
    """A digest of every row of the current state."""
    digest = hashlib.sha256()
    for table in PROJECTIONS:
        for row in sorted(map(repr, rows(base, f"SELECT * FROM {table}"))):
            digest.update(row.encode())
    return digest.hexdigest()


def meaning(base: Path) -> Counter[tuple[Any, ...]]:
    """The identities with their identifiers, stays and open work, without what two runs may differ in: ids, times."""
    held = defaultdict(list)
    for value, authority, kind, identity, current in rows(
        base, "SELECT value, authority, type, identity, current FROM identifier"
    ):
        held[identity].append((kind, authority, value, bool(current)))
    keys = defaultdict(list)
    for value, authority, kind, encounter in rows(base, "SELECT value, authority, type, encounter FROM encounter_key"):
        keys[encounter].append((kind, authority, value))
    stays = defaultdict(list)
    for encounter, identity in rows(base, "SELECT id, identity FROM encounter"):
        stays[identity].append(tuple(sorted(keys[encounter])))
    found: Counter[tuple[Any, ...]] = Counter()
    for identity, survivor, *traits in rows(
        base,
        "SELECT id, merged_into, birth_date, birth_name, used_name, given_names, sex, status, domain FROM identity",
    ):
        into = tuple(sorted(held[survivor])) if survivor else ()
        found["identity", *traits, into, tuple(sorted(held[identity])), tuple(sorted(stays[identity]))] += 1
    for kind, count in rows(base, "SELECT kind, count(*) FROM work_item WHERE open GROUP BY kind"):
        found["work", kind, count] += 1
    return found
