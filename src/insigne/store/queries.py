"""Reading views: the questions that people and interfaces ask, of one moment."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from insigne.exchange.model import MessageRecord
from insigne.ins.names import fold_name
from insigne.registry.headers import EventHeader
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store import rows, statements
from insigne.store.alarms import AlarmReader
from insigne.store.audit import AuditEntry
from insigne.store.copies import CopyReader
from insigne.store.dmp import DocumentQueries
from insigne.store.dmp_past import PastReader
from insigne.store.dmp_report import DmpReportQueries
from insigne.store.insi import InsiQueries
from insigne.store.invitations import InvitationReader
from insigne.store.journal import JournalEntry, fold, read_audit, read_entry
from insigne.store.mail import MailReader
from insigne.store.outbox import OutboxQueries
from insigne.store.sealing import Seal
from insigne.store.users import UserReader


class MessageFilter(msgspec.Struct, frozen=True):
    """Which messages to list: fields are those of `MessageRecord`, "" means any.

    `since` (included) and `until` (excluded) are RFC 3339 UTC, of the width of the base (milliseconds).
    """

    since: str = ""
    until: str = ""
    direction: str = ""
    peer: str = ""
    sender: str = ""
    control_id: str = ""
    event: str = ""
    disposition: str = ""
    subject: str = ""


_ANY_MESSAGE = MessageFilter()


_OPEN_WORK = WorkFilter()


class ReadView(
    InsiQueries,
    UserReader,
    InvitationReader,
    OutboxQueries,
    CopyReader,
    AlarmReader,
    DocumentQueries,
    DmpReportQueries,
    PastReader,
    MailReader,
):
    """What is committed, of one moment. Given by `Store.read`, used inside its `with`, by one thread."""

    # --- identities

    def find_identity(self, authority: str, value: str, types: Iterable[str] = ()) -> list[str]:
        """The ids of the identities that hold or held this identifier, those that hold it now first, oldest first.

        `authority` is an OID, a FINESS number or a namespace; the OID of an INS finds it by matricule under type "INS".
        `types` are the identifier types to look at (table 0203); none given means all.
        """
        wanted = frozenset(types)
        found = self.select(statements.FIND_IDENTITY, (value, authority, authority))
        return list(dict.fromkeys(identity for kind, identity in found if not wanted or kind in wanted))

    def identities_with(self, value: str, types: Iterable[str]) -> list[str]:
        """The same, whatever the authority, under one of these types."""
        wanted = frozenset(types)
        found = self.select(statements.FIND_VALUE, (value,))
        return list(dict.fromkeys(identity for kind, identity in found if kind in wanted))

    def authorities(self) -> frozenset[str]:
        """Keys and namespaces of every authority that issued an identifier held here. Reads the whole table."""
        return frozenset(name for row in self.select(statements.AUTHORITIES) for name in row if name)

    def search(
        self,
        birth_date: str,
        *,
        name: str | None = None,
        given: str | None = None,
        sex: str | None = None,
        ins: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Identity]:
        """The identities born on that date that meet every other criterion given, by name; merged ones left out (RNIV).

        `birth_date` is YYYY-MM-DD or YYYYMMDD, matched as stored. `name` is the beginning of the birth or used name,
        `given` of any given name, used one included; case, accents, hyphens, apostrophes and spaces do not count.
        `ins` is a matricule held now. At most `limit` identities, in a stable order.
        """
        sql, parameters = statements.SEARCH, list[Any]((birth_date.replace("-", ""),))
        typed = fold_name(name or "")
        if typed:
            sql += statements.SEARCH_NAME
            parameters += [len(typed), typed, len(typed), typed]
        if sex:
            sql += statements.SEARCH_SEX
            parameters.append(sex)
        if ins:
            sql += statements.SEARCH_INS
            parameters.append(ins)
        typed_given = fold_name(given or "")
        found = self.select(sql + statements.SEARCH_ORDER, parameters)
        matching = (state for given_names, state in found if _given_matches(typed_given, given_names))
        for state in islice(matching, limit):
            yield rows.read_identity(state)

    def history(self, identity_id: str) -> Iterator[JournalEntry]:
        """The events of an identity, oldest first; those that a purge erased have no `event`."""
        for row in self.select(statements.HISTORY, ("identity", identity_id)):
            yield read_entry(row)

    def history_of_item(self, item_id: str) -> Iterator[JournalEntry]:
        """The events of a work item, as `history` tells those of an identity."""
        for row in self.select(statements.HISTORY, ("work-item", item_id)):
            yield read_entry(row)

    def identity_at(self, identity_id: str, time: str) -> Identity | None:
        """The identity as it was at `time` (RFC 3339 UTC with milliseconds); None when it did not exist yet.

        Raises HistoryErased when a purge erased that part of its history.
        """
        state = fold(entry for entry in self.history(identity_id) if entry.time <= time)
        return state if isinstance(state, Identity) else None

    def encounters_of(self, identity_id: str) -> list[Encounter]:
        """The stays of an identity and of those it absorbed, oldest first: a merge leaves stays where they are."""
        found = [
            rows.read_encounter(row[0])
            for identity in self.with_absorbed(identity_id)
            for row in self.select(statements.ENCOUNTERS_OF, (identity,))
        ]
        return sorted(found, key=lambda encounter: encounter.id)

    def with_absorbed(self, identity_id: str) -> list[str]:
        """The identity and all it absorbed, directly or not."""
        ids = [identity_id]
        for known in ids:
            identity = self.identity(known)
            ids += [absorbed for absorbed in (identity.absorbed if identity is not None else ()) if absorbed not in ids]
        return ids

    def identities(self) -> Iterator[Identity]:
        """Every identity, merged ones too. Reads the whole table: for reports."""
        for row in self.stream(statements.ALL_STATES):
            yield rows.read_identity(row[0])

    # --- messages and work

    def message(self, message_id: str) -> MessageRecord | None:
        """The message of that id; what a purge erased reads as empty."""
        found = self.select(statements.MESSAGE, (message_id,))
        if found and rows.is_in_parts(found[0]):
            parts = self.stream(statements.MESSAGE_PARTS, (message_id,))
            return rows.read_message(found[0], b"".join(bytes(part) for (part,) in parts))
        return rows.read_message(found[0]) if found else None

    def messages(
        self, wanted: MessageFilter = _ANY_MESSAGE, *, limit: int = 100, after: str = ""
    ) -> Iterator[MessageRecord]:
        """Messages, newest first, at most `limit`; `after` is the id of the last one of the page before.

        The bytes of very large ones are not read.
        """
        sql, parameters = statements.MESSAGES, list[Any]()
        for name, value in msgspec.structs.asdict(wanted).items():
            if value:
                sql += statements.MESSAGE_FILTERS[name]
                parameters.append(value)
        if after:
            sql += statements.MESSAGES_BEFORE
            parameters.append(after)
        for row in self.select(sql + statements.MESSAGES_ORDER, (*parameters, limit)):
            yield rows.read_message(row)

    def work_items(self, wanted: WorkFilter = _OPEN_WORK, *, limit: int = 100, after: str = "") -> list[WorkItem]:
        """Work items, oldest first, at most `limit`; `after` is the id of the last one of the page before."""
        sql, parameters = statements.WORK_ITEMS + statements.WORK_ITEM_STATES[wanted.state], list[Any]((after,))
        for name, condition in statements.WORK_ITEM_FILTERS.items():
            value = getattr(wanted, name)
            if value:
                sql += condition
                parameters.append(value)
        found = self.select(sql + statements.WORK_ITEMS_ORDER, (*parameters, limit))
        return [rows.read_work_item(row[0]) for row in found]

    # --- the journal

    def changes(self, after: int, limit: int = 1000) -> list[JournalEntry]:
        """The sealed events that follow entry `after` (a `seq`, 0 for all), in order, at most `limit`."""
        return [read_entry(row) for row in self.select(statements.EVENTS_AFTER, (after, limit))]

    def changes_after(self, seq: int, limit: int) -> list[EventHeader]:
        """See `fhir.changes.ChangeReader`."""
        return [EventHeader(*row) for row in self.select(statements.CHANGES_AFTER, (seq, limit))]

    def changes_until(self, seq: int, limit: int) -> list[EventHeader]:
        """See `fhir.changes.ChangeReader`."""
        return [EventHeader(*row) for row in self.select(statements.CHANGES_UNTIL, (seq, limit))]

    def changes_of(self, identity_id: str, version: int, limit: int) -> list[EventHeader]:
        """See `fhir.changes.ChangeReader`."""
        return [EventHeader(*row) for row in self.select(statements.CHANGES_OF, (identity_id, version, limit))]

    def events_between(self, since: str, until: str) -> Iterator[JournalEntry]:
        """The events on identities and stays from `since` to `until` (excluded). Reads the whole table: for reports."""
        for row in self.stream(statements.EVENTS_BETWEEN, (since, until)):
            yield read_entry(row)

    def acts(self, after: int = 0, limit: int = 1000) -> list[tuple[int, AuditEntry]]:
        """The audit entries that follow entry `after`, with their `seq`, in order."""
        found = self.select(statements.ACTS_AFTER, (after, limit))
        return [(row[0], read_audit(row)) for row in found]

    def head(self) -> Seal | None:
        """The last seal: give its number and digest to somebody else to keep, and the past cannot be cut off unseen."""
        found = self.select(statements.SEAL_HEAD)
        return Seal(*found[0]) if found else None

    # --- the base

    def installation(self) -> tuple[str, str]:
        """The UUID of this base and when it was made."""
        found = self.select(statements.INSTALLATION)
        return found[0][0], found[0][1]

    def statuses(self) -> dict[str, int]:
        """How many living identities have each RNIV status."""
        return dict(self.select(statements.STATUS_COUNTS))

    def counts(self) -> dict[str, int]:
        """How many identities, encounters, open work items, messages and events there are; for metrics."""
        counted: dict[str, int] = {name: self.select(sql)[0][0] for name, sql in statements.COUNTS.items()}
        head = self.head()
        return counted | {"events": head.last_seq if head is not None else 0}


def _given_matches(typed: str, given_names: str) -> bool:
    """Whether the letters typed begin any of the given names, a compound one typed with or without its hyphen."""
    words = given_names.split()
    return not typed or any("".join(words[start:]).startswith(typed) for start in range(len(words)))
