"""Quality of identities: the indicators of the RNIV (part 2), over a period, for each site and for all.

Pure: states, events, work items and calls go in, indicators come out. A site is an identification domain. Formulas are
ours where the RNIV names an indicator without one; each indicator gives its numerator and denominator.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple

from insigne.ins.status import Status
from insigne.registry import events as ev
from insigne.registry.state import Identity, WorkItem
from insigne.registry.worklist_kinds import KINDS

ALL: Final = ""
"""The site of indicators that are about the whole base."""

_DUPLICATE_KINDS: Final = frozenset({"same-ins", "merge-held", "identifier-conflict"})
_OF_BATCH: Final = frozenset({"deposited", "collected"})
_DAY: Final = 86_400.0


class Happened(NamedTuple):
    """An event of the journal: the object it is about, when, and what."""

    subject: str
    time: str
    event: ev.AnyEvent


class CallFact(NamedTuple):
    """A call of INSi. `outage`: nobody answered.

    `code` is 00, 01, 02, OK, KO, or that of a batch that was deposited or collected; anything else is a fault.
    """

    identity: str
    operation: str
    code: str
    outage: bool
    milliseconds: int


class Indicator(NamedTuple):
    """One figure. `value` is a share (0 to 1), a count, days or milliseconds, as `unit` says; None without ground.

    `part` is what was counted, of `whole` for a share.
    """

    site: str
    code: str
    label: str
    label_fr: str
    unit: str
    value: float | None
    part: int
    whole: int | None


class _Person(NamedTuple):
    site: str
    status: Status
    fictitious: bool
    merged: bool


class _Tally:
    """Counts and lists of figures by (site, code); what is added to a site is added to all."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.figures: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.sites: set[str] = set()

    def add(self, site: str, *codes: str) -> None:
        for code in codes:
            self.counts[ALL, code] += 1
            if site:
                self.sites.add(site)
                self.counts[site, code] += 1

    def measure(self, site: str, code: str, figure: float) -> None:
        for one in {ALL, site}:
            self.figures[one, code].append(figure)

    def codes(self, site: str, prefix: str) -> list[str]:
        """The codes met that begin so, in order."""
        return sorted(code for where, code in self.counts if where == site and code.startswith(prefix))


def quality(
    identities: Iterable[Identity],
    happened: Iterable[Happened],
    items: Iterable[WorkItem],
    calls: Iterable[CallFact],
    *,
    since: str,
    until: str,
) -> list[Indicator]:
    """The indicators of a base.

    `identities` are all states, merged ones too: shares of the base are as of now. `happened` and `calls` are those of
    the period; `items` all work items, of which those open at its end and those closed in it count. Times are RFC 3339
    UTC of one width.
    """
    tally, people = _Tally(), dict[str, _Person]()
    for identity in identities:
        people[identity.id] = _base(tally, identity)
    _flow(tally, people, happened)
    for item in items:
        _work(tally, people, item, since, until)
    for call in calls:
        _call(tally, _site(people, call.identity), call)
    return [one for site in (ALL, *sorted(tally.sites)) for one in _indicators(_Figures(tally, site))]


def _base(tally: _Tally, identity: Identity) -> _Person:
    person = _Person(identity.domain, identity.status, "FICT" in identity.attributes, bool(identity.merged_into))
    if person.merged:
        tally.add(person.site, "merged")
        return person
    tally.add(person.site, "active", f"status.{person.status}", *(f"attribute.{a}" for a in identity.attributes))
    if "COLV" in identity.reliability:
        tally.add(person.site, "collision")
    return person


def _flow(tally: _Tally, people: dict[str, _Person], happened: Iterable[Happened]) -> None:
    """Who came in the period (created, or with a stay that opened), and what was done."""
    came: set[str] = set()
    lost: dict[tuple[str, str], str] = {}  # an identity that loses INS and document check at once is lowered once
    for subject, time, event in happened:
        if isinstance(event, ev.IdentityCreated):
            came.add(subject)
        elif isinstance(event, ev.EncounterOpened):
            came.add(event.identity)
        if reason := _lowered(event):
            lost.setdefault((subject, time), reason)
        if subject in people:
            tally.add(people[subject].site, *_done(event, people[subject]))
    for (subject, _), reason in lost.items():
        tally.add(_site(people, subject), "downgrades", f"downgrade.{reason}")
    for subject in came & people.keys():
        person = people[subject]
        if not person.merged:
            tally.add(person.site, "came", f"came.{person.status}", *([] if person.fictitious else ["eligible"]))
            if person.status is Status.QUAL:
                tally.add(person.site, "came-qualified")


def _done(event: ev.AnyEvent, person: _Person) -> tuple[str, ...]:
    """What an event counts for."""
    match event:
        case ev.IdentityCreated():
            return ("created", "created-merged") if person.merged else ("created",)
        case ev.IdentityMerged():
            return ("merges",)
        case ev.MergeUndone():
            return ("unmerges",)
        case ev.ProofRecorded(proof=proof) if proof.high_trust:
            return ("documents", f"document.{proof.type}")
    return ()


def _lowered(event: ev.AnyEvent) -> str:
    """Why an event lowers the status, "" when it does not."""
    match event:
        case ev.InsWithdrawn(reason=reason):
            return reason or "INS withdrawn"
        case ev.StatusChanged(before=before, after=after, reason=reason) if before[0] and not after[0]:
            return reason or "PID-32"
    return ""


def _work(tally: _Tally, people: dict[str, _Person], item: WorkItem, since: str, until: str) -> None:
    site = _site(people, *item.subjects)
    if since <= item.opened < until:
        tally.add(site, f"raised.{item.kind}")
    if item.opened < until and not (item.closed and item.closed < until):
        tally.add(site, f"backlog.{item.kind}")
        tally.measure(site, f"backlog.{item.kind}", _days(item.opened, until))
    elif item.closed and since <= item.closed < until:
        tally.add(site, f"closed.{item.kind}")
        if item.kind in _DUPLICATE_KINDS:
            tally.measure(site, "duplicate-delay", _days(item.opened, item.closed))


def _call(tally: _Tally, site: str, call: CallFact) -> None:
    """The two calls of a batch tell nothing of anybody: each identity of it has a call of its own, unless they fail."""
    if call.code in _OF_BATCH:
        return
    family = "verification" if call.operation.startswith("verify") else "insi"
    fault = call.code not in ("00", "01", "02", "OK", "KO")
    tally.add(site, f"{family}.calls", f"{family}.{'fault' if fault else call.code}")
    if fault:
        tally.add(site, f"{family}-fault.{call.code}")
    if not call.outage:
        tally.add(site, f"{family}.answered")
        tally.measure(site, f"{family}.milliseconds", call.milliseconds)


class _Figures:
    """The indicators of one site, read from the tally."""

    def __init__(self, tally: _Tally, site: str) -> None:
        self._tally = tally
        self._site = site

    def share(self, code: str, texts: tuple[str, str], part: str, whole: str) -> Indicator:
        """A part of a whole, None when there is no whole."""
        count, of = self._tally.counts[self._site, part], self._tally.counts[self._site, whole]
        return Indicator(self._site, code, *texts, "share", round(count / of, 6) if of else None, count, of)

    def count(self, code: str, texts: tuple[str, str]) -> Indicator:
        """How many there are."""
        found = self._tally.counts[self._site, code]
        return Indicator(self._site, code, *texts, "count", found, found, None)

    def figure(self, code: str, texts: tuple[str, str], unit: str, choose: Callable[[list[float]], float]) -> Indicator:
        """The median, or the greatest, of what was measured."""
        figures = self._tally.figures.get((self._site, code.replace("age.", "backlog.")), [])
        return Indicator(
            self._site, code, *texts, unit, round(choose(figures), 1) if figures else None, len(figures), None
        )

    def met(self, prefix: str) -> list[str]:
        """What the data names after that prefix."""
        return [code.partition(".")[2] for code in self._tally.codes(self._site, prefix)]


def _indicators(site: _Figures) -> Iterator[Indicator]:
    yield from _of_base(site)
    yield from _of_insi(site)
    yield site.count("documents", ("documents checked", "Pièces contrôlées"))
    for kind in site.met("document."):
        yield site.count(f"document.{kind}", (f"document {kind}", f"Pièce {kind}"))
    yield site.count("downgrades", ("downgrades", "Rétrogradations"))
    for reason in site.met("downgrade."):
        yield site.count(f"downgrade.{reason}", (f"downgraded: {reason}", f"Rétrogradation : {reason}"))
    for kind, told in KINDS.items():
        yield site.count(f"backlog.{kind}", (f"waiting: {told.label}", f"En attente : {told.label_fr}"))
        yield site.figure(f"age.{kind}", (f"oldest: {told.label}", f"Plus ancien : {told.label_fr}"), "days", max)


def _of_base(site: _Figures) -> Iterator[Indicator]:
    yield site.count("active", ("identities in the base", "Identités actives"))
    for status in Status:
        texts = (f"base: {status}", f"Base : statut {status}")
        yield site.share(f"status.{status}", texts, f"status.{status}", "active")
    for name in ("DOUT", "FICT", "HOMA"):
        yield site.share(f"attribute.{name}", (f"base: {name}", f"Base : {name}"), f"attribute.{name}", "active")
    yield site.count("came", ("people of the period", "Personnes de la période (créées ou venues)"))
    for status in Status:
        texts = (f"period: {status}", f"Période : statut {status}")
        yield site.share(f"came.{status}", texts, f"came.{status}", "came")
    yield site.share(
        "qualified", ("qualified, of those who came", "Taux de qualification"), "came-qualified", "eligible"
    )
    yield site.share("duplicates", ("merged, to active", "Doublons avérés (base)"), "merged", "active")
    texts = ("created then merged", "Doublons du flux (créées puis fusionnées)")
    yield site.share("created-merged", texts, "created-merged", "created")
    yield site.share("collisions", ("proven collisions", "Collisions avérées"), "collision", "active")
    yield site.count("merges", ("merges", "Fusions"))
    yield site.count("unmerges", ("merges undone", "Défusions"))
    texts = ("days to settle a duplicate", "Délai médian de traitement d’un doublon")
    yield site.figure("duplicate-delay", texts, "days", median)


def _of_insi(site: _Figures) -> Iterator[Indicator]:
    yield site.count("insi.calls", ("calls of INSi", "Appels à INSi"))
    for code in ("00", "01", "02", "fault"):
        yield site.share(f"insi.{code}", (f"INSi: {code}", f"INSi : {_CODES[code]}"), f"insi.{code}", "insi.calls")
    yield site.share(
        "insi.available", ("INSi answered", "Disponibilité d’INSi vue d’ici"), "insi.answered", "insi.calls"
    )
    texts = ("median answer time of INSi", "Temps de réponse médian d’INSi")
    yield site.figure("insi.milliseconds", texts, "ms", median)
    for fault in site.met("insi-fault."):
        texts = (f"INSi fault {fault}", f"Échec INSi {fault}")
        yield site.share(f"insi-fault.{fault}", texts, f"insi-fault.{fault}", "insi.calls")
    for code in ("OK", "KO", "fault"):
        texts = (f"verified: {code}", f"Vérification : {_CODES[code]}")
        yield site.share(f"verification.{code}", texts, f"verification.{code}", "verification.calls")
    texts = ("KO treated, to KO of the period", "KO traités, rapportés aux KO de la période")
    yield site.share("ko-treated", texts, "closed.verification-ko", "raised.verification-ko")


def _site(people: dict[str, _Person], *identities: str) -> str:
    """The site of the first identity known, "" for none."""
    return next((people[one].site for one in identities if one in people), ALL)


def _days(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / _DAY


_CODES: Final = {
    "00": "identité trouvée (00)",
    "01": "aucune (01)",
    "02": "plusieurs (02)",
    "fault": "erreurs techniques",
    "OK": "confirmées (OK)",
    "KO": "non confirmées (KO)",
}
