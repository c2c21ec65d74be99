"""What a site did before this base: identities of API V1 and TD0.0 (history only), figures of the years before."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from insigne.dmp.indicators.figures import Count, Kind, Outcome
from insigne.dmp.migration.legacy import Legacy
from insigne.registry.values import Traits
from insigne.store.reading import Reader
from insigne.store.writing import Writer

_traits: Final = msgspec.json.Decoder(Traits)

_COLUMNS: Final = (
    "id, kind, authority, value, local_authority, local_value, identity, matched, obtained, source, imported, author,"
    " traits"
)
#: A line known already changes nothing, unless it was nobody's: it may have found its owner.
_PUT: Final = (
    f"INSERT INTO legacy_identifier ({_COLUMNS})"  # noqa: S608  # no value
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET identity = excluded.identity,"
    " matched = excluded.matched WHERE legacy_identifier.identity = ''"
)
_LEGACY: Final = f"SELECT {_COLUMNS} FROM legacy_identifier"  # noqa: S608  # no value
_ONE: Final = f"{_LEGACY} WHERE id = ?"
_OF: Final = f"{_LEGACY} WHERE identity = ? ORDER BY obtained, id"
_OF_NOBODY: Final = f"{_LEGACY} WHERE identity = '' AND id > ? ORDER BY id LIMIT ?"
_FORGET: Final = "DELETE FROM legacy_identifier WHERE source = ?"

_PUT_FIGURE: Final = (
    "INSERT INTO past_figure (month, establishment, type_code, identity, outcome, documents, source, imported, author)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (month, establishment, type_code, identity, outcome)"
    " DO UPDATE SET documents = excluded.documents, source = excluded.source, imported = excluded.imported,"
    " author = excluded.author"
)
_FIGURES: Final = (
    "SELECT month, establishment, type_code, identity, outcome, documents FROM past_figure WHERE month <= ?"
    " ORDER BY month, establishment, type_code, identity, outcome"
)
_FORGET_FIGURES: Final = "DELETE FROM past_figure WHERE source = ?"


class PastReader(Reader):
    """The past, as both transactions and views read it."""

    def legacy(self, legacy_id: str) -> Legacy | None:
        """The line of that id."""
        found = self.select(_ONE, (legacy_id,))
        return _legacy(found[0]) if found else None

    def legacy_of(self, identity: str) -> list[Legacy]:
        """The identifiers of former times of an identity, oldest first."""
        return [_legacy(row) for row in self.select(_OF, (identity,))]

    def legacy_of_nobody(self, after: str = "", limit: int = 1000) -> list[Legacy]:
        """Those matched with nobody; `after` is the id of the last one of the page before."""
        return [_legacy(row) for row in self.select(_OF_NOBODY, (after, limit))]

    def past_figures(self, last: str) -> list[Count]:
        """The figures imported, of the months up to that one (YYYY-MM)."""
        return [
            Count(month, place, type_code, Kind(identity), Outcome(outcome), documents, past=True)
            for month, place, type_code, identity, outcome, documents in self.select(_FIGURES, (last,))
        ]


class PastWriter(PastReader, Writer):
    """What a write transaction adds."""

    def put_legacy(self, lines: Iterable[Legacy]) -> None:
        """Keep lines; one that is known changes only if it was nobody's."""
        self.gather(_PUT, [(*msgspec.structs.astuple(one)[:-1], msgspec.json.encode(one.traits)) for one in lines])

    def forget_legacy(self, source: str) -> int:
        """Erase what a source brought; how many lines."""
        return self.execute(_FORGET, (source,))

    def put_past_figures(self, counts: Iterable[Count], source: str, now: str, author: str) -> None:
        """Keep figures; one of the same month, place, type, identity and outcome takes the place of the one before."""
        self.gather(
            _PUT_FIGURE,
            [
                (one.month, one.establishment, one.type_code, one.identity.value, one.outcome.value, one.documents,
                 source, now, author)
                for one in counts
            ],
        )  # fmt: skip

    def forget_past_figures(self, source: str) -> int:
        """Erase the figures a source brought; how many."""
        return self.execute(_FORGET_FIGURES, (source,))


def _legacy(row: Sequence[Any]) -> Legacy:
    *texts, traits = row
    return msgspec.structs.replace(Legacy(*texts), traits=_traits.decode(traits))
