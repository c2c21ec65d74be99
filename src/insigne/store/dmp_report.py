"""What reports on the feeding of the DMP ask: figures of a period, measures of the base, who waits.

For reports: whole tables are read.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from insigne.dmp.indicators.figures import Count, Kind, Passage, outcome_of
from insigne.dmp.indicators.targets import Received
from insigne.dmp.migration.legacy import INS_C_OID
from insigne.registry.state import Encounter
from insigne.store import rows
from insigne.store.reading import Reader

#: Who has, or had before a merge, an INS-C: in a list that is made once, where a join would be read for each document.
_FORMER: Final = (
    "SELECT CASE WHEN merged_into <> '' THEN merged_into ELSE id END FROM identity WHERE id IN"  # noqa: S608  # no value
    f" (SELECT identity FROM identifier WHERE authority = '{INS_C_OID}'"
    " UNION SELECT identity FROM legacy_identifier WHERE kind = 'ins-c')"
)
#: Under which identity a sending went, or would go now; an INS-C counts when it is all there is.
_KIND: Final = (
    "CASE WHEN one.ins <> '' OR holder.status = 'QUAL' THEN 'qualified' WHEN holder.status = 'RECUP' THEN 'other-ins'"
    f" WHEN one.identity IN ({_FORMER}) THEN 'ins-c' ELSE 'none' END"
)
_TO_DMP: Final = "document JOIN document_sending AS one ON one.document = document.id AND one.channel = 'dmp'"
_COUNTS: Final = (
    f"SELECT facility, type_code, {_KIND} AS kind, one.state, count(*) FROM {_TO_DMP} AND one.action <> 'delete'"  # noqa: S608  # no value
    " LEFT JOIN identity AS holder ON holder.id = one.identity"
    " WHERE received >= ? AND received < ? GROUP BY 1, 2, 3, 4"
)
#: Versions of one document (its set) count once: accepted when one is in the DMP, and none was deleted there.
_RECEIVED: Final = (
    "SELECT facility, type_code, count(*), sum(accepted) FROM (SELECT facility, type_code,"  # noqa: S608  # no value
    " CASE WHEN set_id <> '' THEN set_id ELSE unique_id END AS lineage,"
    " max(CASE WHEN one.ins <> '' AND one.state IN ('fed', 'replaced') THEN 1 ELSE 0 END)"
    " * min(CASE WHEN one.state = 'deleted' THEN 0 ELSE 1 END) AS accepted"
    f" FROM {_TO_DMP} AND one.action <> 'delete' WHERE received >= ? AND received < ? GROUP BY 1, 2, 3) AS lineages"
    " GROUP BY 1, 2"
)
_PASSAGES: Final = (
    f"SELECT facility, type_code, created, one.ended FROM {_TO_DMP} AND one.action <> 'delete'"  # noqa: S608  # no value
    " AND one.state = 'fed' AND one.ins <> '' WHERE received >= ? AND received < ?"
)
_STAYS: Final = "SELECT state FROM encounter ORDER BY id"

_ACTIVE: Final = (
    "SELECT count(*), sum(CASE WHEN status = 'QUAL' THEN 1 ELSE 0 END) FROM identity WHERE merged_into = ''"
    " AND (updated >= ? OR id IN (SELECT encounter.identity FROM journal JOIN encounter ON encounter.id = stream_id"
    " WHERE stream = 'encounter' AND time >= ?))"
)
_BLOCKED: Final = (
    "SELECT state, reason, count(*) FROM document_sending WHERE channel = 'dmp' AND action <> 'delete'"
    " AND state IN ('waiting-ins', 'waiting-identity', 'waiting-consent', 'refused') GROUP BY 1, 2"
    " ORDER BY 3 DESC, 1, 2"
)
_FED_SINCE: Final = (
    "SELECT count(*) FROM document_sending WHERE channel = 'dmp' AND action <> 'delete' AND ins <> ''"
    " AND state = 'fed' AND ended >= ?"
)
_LAST_CONTENTS: Final = (
    "SELECT id, sending, type_code, digest, media FROM document WHERE digest <> '' AND personal IS NOT NULL"
    " ORDER BY received DESC, id DESC LIMIT ?"
)
_LAST_TOLD: Final = (
    "SELECT raw FROM outbox JOIN outbox_bytes ON outbox_bytes.control_id = outbox.control_id"
    " WHERE destination = ? AND state = 'delivered' AND subject <> '' AND raw IS NOT NULL"
    " ORDER BY outbox.id DESC LIMIT ?"
)
_WAITING: Final = (
    "SELECT identity, count(DISTINCT document), min(since) FROM document_sending"
    " WHERE state IN ('waiting-ins', 'waiting-identity') AND action <> 'delete' GROUP BY identity"
)


class KeptContent(NamedTuple):
    """The content of a document received: who sent it ("MSH-3|MSH-4"), of which type, where its bytes are."""

    document: str
    sending: str
    type_code: str
    digest: str
    media: str


class Waiting(NamedTuple):
    """A patient whose documents wait for their identity: how many, since when the oldest is."""

    identity: str
    documents: int
    since: str


class DmpReportQueries(Reader):
    """What `insigne report dmp` and `insigne migrate` ask."""

    # --- figures of documents received from `since` to `until` (excluded), RFC 3339 UTC of the width of the base

    def fed_counts(self, month: str, since: str, until: str) -> list[Count]:
        """How many documents meant for the DMP there are of each kind, told under that month."""
        return [
            Count(month, facility, type_code, Kind(kind), outcome_of(state), count)
            for facility, type_code, kind, state, count in self.select(_COUNTS, (since, until))
        ]

    def received_for_dmp(self, since: str, until: str) -> list[Received]:
        """How many documents, their versions counted once, came of each type, and how many the DMP holds."""
        found = self.select(_RECEIVED, (since, until))
        return [
            Received(facility, type_code, int(count), int(accepted)) for facility, type_code, count, accepted in found
        ]

    def passages(self, since: str, until: str) -> Iterator[Passage]:
        """The documents that the DMP accepted and that no later version replaced."""
        for row in self.stream(_PASSAGES, (since, until)):
            yield Passage(*row)

    def all_stays(self) -> Iterator[Encounter]:
        """Every stay."""
        for (state,) in self.stream(_STAYS):
            yield rows.read_encounter(state)

    # --- measures

    def active_since(self, since: str) -> tuple[int, int]:
        """How many standing identities changed or had something of a stay since then, and how many are qualified."""
        [(active, qualified)] = self.select(_ACTIVE, (since, since))
        return active, int(qualified or 0)

    def blocked(self) -> list[tuple[str, str, int]]:
        """Documents meant for the DMP that are held or refused now: state, reason, how many."""
        return [(state, reason, count) for state, reason, count in self.select(_BLOCKED)]

    def fed_since(self, since: str) -> int:
        """How many documents the DMP accepted since then, and holds."""
        count: int = self.select(_FED_SINCE, (since,))[0][0]
        return count

    def last_contents(self, limit: int) -> list[KeptContent]:
        """The contents of the documents received last."""
        return [KeptContent(*row) for row in self.select(_LAST_CONTENTS, (limit,))]

    def last_told(self, destination: str, limit: int) -> Iterator[bytes]:
        """The last messages about a patient that a destination accepted, as sent."""
        for (raw,) in self.select(_LAST_TOLD, (destination, limit)):
            yield bytes(raw)

    def waiting_patients(self) -> list[Waiting]:
        """Whose documents wait for their INS or identity."""
        return [Waiting(*row) for row in self.select(_WAITING)]
