"""What the simulated téléservice answers to a call. Reads no clock and no socket: both are handed in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from zlib import crc32

from insigne.insi.wire import (
    LABELS,
    MEDIA_TYPE,
    NO_DEVIATION,
    NOT_FOUND,
    SEVERAL,
    Deviation,
    InsiAnswer,
    InsiFault,
    InsiResult,
    Request,
    WireError,
    build_answer,
    build_fault,
    read_request,
)
from insigne.simulate.calls import Call, CallLog
from insigne.simulate.https import HttpReply, HttpRequest
from insigne.simulate.insi import formats
from insigne.simulate.insi.calls import criteria_of
from insigne.simulate.insi.national import Mode, NationalBase, Registered, with_deviations
from insigne.simulate.insi.people import GENERIC_FIXTURES, TestPeople
from insigne.simulate.insi.script import ALL_WELL, Effects, Script
from insigne.simulate.spoil import spoil, unavailable

DEFAULT_IDAM: Final = "INSIGNESIMU1"
SOAP_TYPE: Final = f"{MEDIA_TYPE};charset=UTF-8"

LIVE_DEVIATIONS: Final[dict[Mode, frozenset[Deviation]]] = {
    "production": NO_DEVIATION,
    "vendor": frozenset({Deviation.D1, Deviation.D2, Deviation.D7, Deviation.D9}),
}
"""Deviations shown when none are chosen: in vendor mode, those recorded on the qualification server for every call."""

NAMESPACES: Final = (b"http://www.cnamts.fr/INSiResultat",)
"""What a foreign namespace is put in the place of."""

_ACTION: Final = re.compile(r'action="?([^";]+)')


@dataclass(slots=True)
class Behaviour:
    """How the téléservice is set; changed at run time through `/control`.

    `deviations`: None for those of the mode. `fixtures`: birth name → fixture. `extra`: effects on top of the script.
    `idams`: the authorisation numbers known.
    """

    mode: Mode = "production"
    deviations: frozenset[Deviation] | None = None
    fixtures: dict[str, str] = field(default_factory=dict)
    script: Script = field(default_factory=Script)
    extra: Effects = ALL_WELL
    idams: frozenset[str] = frozenset({DEFAULT_IDAM})

    @property
    def shown_deviations(self) -> frozenset[Deviation]:
        """The deviations in force."""
        return LIVE_DEVIATIONS[self.mode] if self.deviations is None else self.deviations


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a call comes to; `deviations` are those of the person's own answer."""

    result: InsiResult
    deviations: frozenset[Deviation] = NO_DEVIATION


class Engine:
    """Answers calls. `now` gives the seconds since the start."""

    def __init__(self, base: NationalBase, people: TestPeople, behaviour: Behaviour, now: Callable[[], float]) -> None:
        self.base = base
        self.behaviour = behaviour
        self.now = now
        self.calls = CallLog()
        self._people = people

    def answer(self, http: HttpRequest) -> HttpReply:
        """Answer a call of the téléservice."""
        if http.method != "POST":
            return HttpReply(405, b"POST only", "text/plain")
        self.calls.count += 1
        request = _read(http)
        effects = self.effects(_birth_name(request))
        if effects.outage or effects.http:
            self._record(http, request, f"http_{effects.http}" if not effects.outage else "", effects)
            return unavailable(effects)
        outcome = self._outcome(http.client, request, effects)
        self._record(http, request, outcome.result.code, effects)
        return spoil(self._written(outcome, request), effects, NAMESPACES)

    def effects(self, birth_name: str = "") -> Effects:
        """Return what is wrong now for a call about this birth name."""
        behaviour = self.behaviour
        found = behaviour.script.effects(self.now(), self.calls.count, birth_name)
        return found.under(behaviour.extra) if behaviour.extra.birth_name in ("", birth_name) else found

    def _outcome(self, client: str, request: Request | InsiFault, effects: Effects) -> _Outcome:
        """Check a call in the order of the service, then search."""
        fault = formats.fault_of_certificate(client)
        if fault is not None:
            return _Outcome(fault)
        if isinstance(request, InsiFault):
            return _Outcome(request)
        fault = formats.fault_of_software(request, self.behaviour.idams) or formats.fault_of_contexts(request)
        if fault is None and request.traits is not None:
            fault = formats.fault_of_traits(request.traits, request.given_names)
        elif fault is None and request.vitale is not None:
            fault = formats.fault_of_card(request.vitale)
        if fault is None and _struck(request, effects.siram_40):
            fault = formats.fault_of_upstream(request.operation)
        return _Outcome(fault) if fault else self._search(request, effects)

    def _search(self, request: Request, effects: Effects) -> _Outcome:
        code = GENERIC_FIXTURES.get(self.behaviour.fixtures.get(_birth_name(request), ""))
        if code is None:
            found = self._found(request)
            if len(found) == 1:
                person = self.base.someone_else(found[0]) if effects.wrong_person else found[0]
                return _Outcome(person.answer(), person.deviations)
            nobody = NOT_FOUND if self.behaviour.mode == "production" else ""
            code = SEVERAL if found else nobody
        if not code:
            return _Outcome(formats.fault_of_upstream(request.operation))
        return _Outcome(InsiAnswer(code, LABELS[code]))

    def _found(self, request: Request) -> list[Registered]:
        """Return who answers, each as their chosen fixture has them, without those the mode does not hold."""
        people: list[Registered] = []
        if request.vitale is not None:
            person = self.base.by_card(request.vitale)
            people = [person] if person else []
        elif request.traits is not None and len(request.given_names) == 1:
            # Several Prenom elements were once sent about one person, who was not found.
            people = self.base.search(request.traits)
        asked = _birth_name(request)
        return [one for person in people if self.behaviour.mode in (one := self._as_chosen(person, asked)).known_in]

    def _as_chosen(self, person: Registered, asked: str) -> Registered:
        fixtures = self.behaviour.fixtures
        name = fixtures.get(asked) or fixtures.get(person.birth_name, "")
        return self._people.variants.get((person.ins.number, name), person)

    def _written(self, outcome: _Outcome, request: Request | InsiFault) -> HttpReply:
        result, shown = outcome.result, self.behaviour.shown_deviations
        if isinstance(result, InsiAnswer):
            return HttpReply(200, build_answer(result, with_deviations(result, shown | outcome.deviations)), SOAP_TYPE)
        if isinstance(request, Request) and request.context.message_id:
            result = replace(result, message_id=f"uuid:{request.context.message_id}")
        # On the real server the platform's faults echo the message id, and the service's are announced as English.
        absent = Deviation.D7 if result.code.startswith("desir_") else Deviation.D9
        return HttpReply(500, build_fault(result, shown - {absent}), SOAP_TYPE)

    def _record(self, http: HttpRequest, request: Request | InsiFault, code: str, effects: Effects) -> None:
        operation, criteria = "", ""
        if isinstance(request, Request):
            operation, criteria = request.operation or "", criteria_of(request)
        number, seconds = self.calls.count, round(self.now(), 3)
        self.calls.add(Call(number, seconds, http.client, operation, criteria, code, effects.names()))


def _read(http: HttpRequest) -> Request | InsiFault:
    """Read a call, or return the fault of what is none."""
    action = _ACTION.search(http.headers.get("content-type", ""))
    try:
        request = read_request(http.body, action[1] if action else "")
    except WireError as error:
        return formats.fault_of_message(f"Ce message n'est pas un appel SOAP 1.2 ({error})")
    if request.operation is None:
        return formats.fault_of_message("Action SOAP inconnue ou absente")
    if (request.traits if request.operation == "search" else request.vitale) is None:
        return formats.fault_of_message("Le corps du message n'est pas celui de l'action")
    return request


def _birth_name(request: Request | InsiFault) -> str:
    if isinstance(request, InsiFault):
        return ""
    asked = request.traits or request.vitale
    return asked.birth_name if asked else ""


def _struck(request: Request, share: float) -> bool:
    """Tell whether the search of this person fails upstream: always the same people for the same share."""
    asked = request.traits or request.vitale
    if asked is None or not share:
        return False
    return crc32(f"{asked.birth_name}|{asked.birth_date}".encode()) % 10_000 < share * 10_000
