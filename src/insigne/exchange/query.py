"""PIX (ITI-9) and PDQ (ITI-21) queries, answered where messages come in.

They read what is committed and change nothing. Who asked what, and was told what, is in the message log.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from itertools import islice
from typing import Literal, Protocol

from insigne.exchange.handler import Delivery, Outcome, Prepared
from insigne.exchange.settings import ExchangeSettings, QueryGrant
from insigne.hl7 import AckError, Location, Message
from insigne.ins.matricule import NAMESPACES
from insigne.pam.encode.dialect import Dialect, dialect_of
from insigne.pam.encode.ins import as_identifier, shown_ins
from insigne.pam.encode.patient import Person, birth_of, identifiers, pid, visible
from insigne.pam.encode.settings import SubscriptionSettings
from insigne.pam.query import Criteria, PdqQuery, PixQuery, QueryRefused, Reply, Wanted, read_query, respond
from insigne.registry.index import INS_TYPE, ins_key
from insigne.registry.ports import View
from insigne.registry.settings import AuthoritySettings, Policy
from insigne.registry.state import PERSON_TYPES, Identity
from insigne.registry.values import Authority
from insigne.registry.workingset import WorkingSet

Charset = Literal["utf-8", "iso8859-1", "iso8859-15"]

#: MSH-18 → the character set of the answer.
_CHARSET_OF: Mapping[str, Charset] = {"UNICODE UTF-8": "utf-8", "8859/1": "iso8859-1", "8859/15": "iso8859-15"}
_INS_DOMAINS = frozenset(NAMESPACES) | frozenset(NAMESPACES.values())
_MOST_DIALECTS = 256
#: PID-5 of a PIX answer: names are not its matter, and are said to be left out (IHE ITI TF-2 3.9.4.2.2.5).
_NO_NAME = "~^^^^^^S"


class QueryView(View, Protocol):
    """What is committed, as queries look at it."""

    def find_identity(self, authority: str, value: str, types: Iterable[str] = ()) -> list[str]:
        """The ids of the identities that hold or held this identifier; those that hold it now first."""
        ...

    def identities_with(self, value: str, types: Iterable[str]) -> list[str]:
        """The same, whatever the authority."""
        ...

    def search(self, birth_date: str, *, name: str = "", given: str = "", sex: str = "") -> Iterable[Identity]:
        """The identities born on that date; `name` begins one of their family names."""
        ...

    def head(self) -> object:
        """What changes with every change of the base."""
        ...

    def authorities(self) -> Collection[str]:
        """Keys and namespaces of every authority that issued an identifier held here. Reads a whole table."""
        ...


class QueryHandler:
    """The `exchange.handler.Handler` of QBP and QCN. `clock` gives aware datetimes, `read` a view of one moment."""

    def __init__(
        self,
        policy: Policy,
        authorities: Sequence[AuthoritySettings],
        settings: ExchangeSettings,
        *,
        read: Callable[[], AbstractContextManager[QueryView]],
        clock: Callable[[], datetime],
    ) -> None:
        self._policy = policy
        self._authorities = tuple(authorities)
        self._settings = settings
        self._read = read
        self._clock = clock
        self._known = frozenset(
            name for one in authorities for name in (one.name, *one.aliases, one.oid, one.finess) if name
        )
        self._found: frozenset[str] = frozenset()  # without configured authorities: those that identifiers name
        self._found_at: object = None
        self._dialects: dict[tuple[bool, Charset, tuple[str, ...], bool], Dialect] = {}

    def prepare(self, delivery: Delivery, message: Message) -> Prepared | Outcome:
        """See `Handler.prepare`."""
        grant = delivery.sender.queries
        if not _may_ask(delivery, grant):
            error = AckError("207", "E", Location("MSH", field=3), "queries of this system are not answered")
            return Outcome("AR", (error,), reply=self._written(delivery, message, Reply("AR", "AR", (error,))))
        if message.message_code == "QCN":
            return Outcome("AA")
        if message.trigger not in ("Q22", "Q23"):
            error = AckError("201", "E", Location("MSH", field=9, component=2), "query not supported; use Q22 or Q23")
            return Outcome("AR", (error,), reply=self._written(delivery, message, Reply("AR", "AR", (error,))))
        try:
            return Prepared(content=(message, read_query(message)))
        except QueryRefused as refused:
            return self._refused(delivery, message, refused)

    def handle(self, delivery: Delivery, prepared: Prepared, working: WorkingSet) -> Outcome:
        """See `Handler.handle`."""
        message: Message
        query: PixQuery | PdqQuery
        message, query = prepared.content
        try:
            with self._read() as view:
                reply, subject = self._answered(view, delivery.sender.queries, message, query)
        except QueryRefused as refused:
            return self._refused(delivery, message, refused)
        return Outcome(reply.code, reply.errors, subject=subject, reply=self._written(delivery, message, reply))

    def _answered(
        self, view: QueryView, grant: QueryGrant, message: Message, query: PixQuery | PdqQuery
    ) -> tuple[Reply, str]:
        position = 4 if isinstance(query, PixQuery) else 8
        domains = []
        for rank, authority in enumerate(query.asked.domains, 1):
            place = Location("QPD", field=position, repetition=rank)
            domains.append(self._domain(view, authority, grant, place))
        dialect = self._dialect(message, grant, domains)
        if isinstance(query, PixQuery):
            return self._cross_referenced(view, query, grant, dialect)
        return self._demographics(view, query, grant, dialect), ""

    # --- PIX

    def _cross_referenced(
        self, view: QueryView, query: PixQuery, grant: QueryGrant, dialect: Dialect
    ) -> tuple[Reply, str]:
        wanted = query.identifier
        key = self._domain(view, wanted.authority, grant, Location("QPD", field=3, repetition=1, component=4))
        found = _standing(view, self._holders(view, wanted, key, grant))
        if not found:
            raise QueryRefused("204", Location("QPD", field=3, repetition=1, component=1), "unknown identifier")
        one = found[0]
        held = [h.identifier for h in one.identifiers if h.current]
        for link in one.links:
            linked = view.identity(link)
            held += [h.identifier for h in linked.identifiers if h.current] if linked is not None else []
        ins = shown_ins(one)
        if ins is not None and dialect.shows_ins:
            held.append(as_identifier(ins))
        asked_by = {key, wanted.authority.namespace, wanted.authority.universal_id} - {""}
        others = [
            i
            for i in dict.fromkeys(held)
            if i.value != wanted.value or not asked_by & {i.authority.key, i.authority.namespace}
        ]
        shown = identifiers(dialect, others)
        if not shown:
            return Reply("AA", "NF"), one.id
        return Reply("AA", "OK", lines=(f"PID|||{'~'.join(shown)}||{_NO_NAME}",)), one.id

    # --- PDQ

    def _demographics(self, view: QueryView, query: PdqQuery, grant: QueryGrant, dialect: Dialect) -> Reply:
        asked, criteria = query.asked, query.criteria
        most = self._settings.query_most
        matching = (
            one for one in self._candidates(view, criteria, grant) if criteria.met_by(one) and visible(dialect, one)
        )
        found = sorted(islice(matching, most + 1), key=lambda one: one.id)
        if len(found) > most:
            raise QueryRefused("207", Location("QPD", field=3), f"more than {most} people: add parameters")
        digest = sha256(repr((asked.tag, criteria, asked.domains)).encode()).hexdigest()[:16]
        left = [one for one in found if one.id > _last(asked.pointer, digest)]
        size = min(asked.page or self._settings.query_page, self._settings.query_page)
        here, after = left[:size], left[size:]
        lines = []
        for one in here:
            ins = shown_ins(one) if dialect.shows_ins else None
            lines.append(pid(dialect, Person(one, ins, birth_of(dialect, one))))
        pointer = f"{here[-1].id}.{digest}" if after else ""
        return Reply("AA", "OK" if found else "NF", (), tuple(lines), len(found), len(after), pointer)

    def _candidates(self, view: QueryView, criteria: Criteria, grant: QueryGrant) -> Iterable[Identity]:
        """Those that the most telling parameter gives."""
        if criteria.identifier is not None:
            wanted = criteria.identifier
            key = ""
            if wanted.authority.key:
                key = self._domain(view, wanted.authority, grant, Location("QPD", field=3))
            return _standing(view, self._holders(view, wanted, key, grant))
        if criteria.account is not None:
            return _standing(view, self._stay_holders(view, criteria.account))
        if criteria.birth_date:
            return view.search(criteria.birth_date, name=criteria.prefix)
        place = Location("QPD", field=3)
        raise QueryRefused(
            "101", place, "people are looked up by birth date (PID.7) or by an identifier (PID.3, PID.18)"
        )

    def _holders(self, view: QueryView, wanted: Wanted, key: str, grant: QueryGrant) -> list[str]:
        """The ids of those an identifier names. An INS names only those of whom it may be told."""
        by_ins = wanted.type == INS_TYPE or (not wanted.type and key in _INS_DOMAINS)
        if by_ins:
            ids = view.holders(ins_key(wanted.value)) if grant.ins else ()
            return [
                one for one in ids if (identity := view.identity(one)) is not None and shown_ins(identity) is not None
            ]
        types = {wanted.type} if wanted.type else PERSON_TYPES
        if key:
            return view.find_identity(key, wanted.value, types)
        return view.identities_with(wanted.value, types)

    def _stay_holders(self, view: QueryView, wanted: Wanted) -> list[str]:
        key = self._key(wanted.authority)
        if not key:
            raise QueryRefused("101", Location("QPD", field=3), "an account needs its authority (PID.18.4)")
        stays = {*view.encounters(("AN", key, wanted.value)), *view.encounters(("VN", key, wanted.value))}
        return [stay.identity for one in sorted(stays) if (stay := view.encounter(one)) is not None]

    # --- domains and dialects

    def _key(self, authority: Authority) -> str:
        """What an authority is matched by, joined to the universal id that the site gives its name."""
        return authority.universal_id or self._policy.universal.get(authority.namespace, authority.namespace)

    def _domain(self, view: QueryView, authority: Authority, grant: QueryGrant, place: Location) -> str:
        """The key of a domain that is known here and open to the asker. Raises QueryRefused."""
        key = self._key(authority)
        names = {key, authority.namespace, authority.universal_id} - {""}
        ins = bool(names & _INS_DOMAINS)
        if not ins and not names & self._domains(view, names):
            raise QueryRefused("204", place, "unknown domain")
        if ins and not grant.ins:
            raise QueryRefused("204", place, "unknown domain")
        if grant.authorities and not ins and not names & self._granted(grant):
            raise QueryRefused("204", place, "unknown domain")
        return key

    def _domains(self, view: QueryView, names: set[str]) -> frozenset[str]:
        """The domains there are: those configured, else all that issued an identifier, looked for when one is new."""
        if self._known:
            return self._known
        if not names & self._found and self._found_at != (head := view.head()):
            self._found, self._found_at = frozenset(view.authorities()), head
        return self._found

    def _granted(self, grant: QueryGrant) -> set[str]:
        return {self._key(Authority(name)) for name in grant.authorities} | set(grant.authorities)

    def _dialect(self, message: Message, grant: QueryGrant, domains: Sequence[str]) -> Dialect:
        french = message.version_country == "FRA"
        ins = grant.ins and (not domains or not _INS_DOMAINS.isdisjoint(domains))
        visible_to = domains or [*self._granted(grant), *(NAMESPACES if ins and grant.authorities else ())]
        charset = _CHARSET_OF.get(message.declared_charset, "utf-8")
        # by its name: the OID of the INS is also that of the NIR for billing, which is nobody's INS
        seen = tuple(sorted(NAMESPACES.get(name, name) for name in visible_to))
        key = (french, charset, seen, ins)
        known = self._dialects.get(key)
        if known is None:
            settings = SubscriptionSettings(
                edition="2.11" if french else "HL7-2.5",
                charset=charset,
                authorities=seen,
                ins=ins,
                given_names="list" if french else "further",
            )
            if len(self._dialects) >= _MOST_DIALECTS:
                self._dialects.clear()
            known = self._dialects[key] = dialect_of(
                settings, name="query", environment=self._policy.environment, authorities=self._authorities
            )
        return known

    # --- answers

    def _refused(self, delivery: Delivery, message: Message, refused: QueryRefused) -> Outcome:
        error = AckError(refused.condition, "E", refused.place, str(refused))
        return Outcome("AE", (error,), reply=self._written(delivery, message, Reply("AE", "AE", (error,))))

    def _written(self, delivery: Delivery, message: Message, reply: Reply) -> bytes:
        time = self._clock().strftime("%Y%m%d%H%M%S%z")
        return respond(message, reply, time=time, control_id=delivery.message_id[:20])


def _may_ask(delivery: Delivery, grant: QueryGrant) -> bool:
    """Whether a system is answered: personal data leaves by these answers, so not to anybody who can connect."""
    peer = delivery.received.peer
    if grant.access == "trusted":
        return bool(peer.fingerprint) or (peer.endpoint == "mllp" and _is_loopback(peer.name))
    return grant.access == "allow"


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _standing(view: QueryView, ids: Iterable[str]) -> list[Identity]:
    """The identities that stand for these once merges are followed, each once."""
    standing: dict[str, Identity] = {}
    for one in ids:
        identity = view.identity(one)
        while identity is not None and identity.merged_into:
            identity = view.identity(identity.merged_into)
        if identity is not None:
            standing.setdefault(identity.id, identity)
    return list(standing.values())


def _last(pointer: str, digest: str) -> str:
    """The id after which a continued query goes on. Raises QueryRefused for a pointer of another query."""
    if not pointer:
        return ""
    last, _, of = pointer.partition(".")
    if of != digest:
        raise QueryRefused("204", Location("DSC", field=1), "this continuation is of another query")
    return last
