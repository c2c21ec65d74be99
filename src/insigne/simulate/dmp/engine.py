"""What the simulated DMP answers to a call. Reads no clock and no socket: both are handed in."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from mmap import ACCESS_READ, mmap
from typing import Final
from uuid import UUID

from cryptography import x509

from insigne.simulate.calls import Call as Record
from insigne.simulate.calls import CallLog, criteria_hash
from insigne.simulate.dmp import names
from insigne.simulate.dmp.base import People
from insigne.simulate.dmp.existence import answer_error, answer_existence, read_question
from insigne.simulate.dmp.feeding import Registry, feed
from insigne.simulate.dmp.metadata import Rules
from insigne.simulate.dmp.mime import Buffer, MimeError, read_package
from insigne.simulate.dmp.problems import Problem, query_response, registry_response
from insigne.simulate.dmp.script import ALL_WELL, Effects, Script, Site, Transaction
from insigne.simulate.dmp.searching import search, update
from insigne.simulate.dmp.signature import Trust
from insigne.simulate.dmp.soap import Call, Fault, NotSoapError, answer, fault, read_call
from insigne.simulate.dmp.store import DmpStore
from insigne.simulate.dmp.vihf import Policy, Vihf, read_vihf, stated_patient
from insigne.simulate.https import HttpReply, HttpRequest, error_reply
from insigne.simulate.spoil import spoil, unavailable

CALLER: Final = "ORG_AUTH_CLI"
SIGNER: Final = "ORG_SIGN"

_SERVICES: Final[dict[str, Transaction]] = {"patients": "TD0.2", "repository": "TD2.1", "registry": "TD3.1"}
"""Last part of the path → transaction; that of the registry is also TD3.3c, by its action."""
_ACTIONS: Final[dict[Transaction, str]] = {
    "TD0.2": names.EXISTENCE_ACTION,
    "TD2.1": names.FEED_ACTION,
    "TD3.1": names.QUERY_ACTION,
    "TD3.3c": names.UPDATE_ACTION,
}
_EXISTENCE_ANSWER: Final = "urn:hl7-org:v3:PRPA_IN201308UV02"
_NAMESPACES: Final = (names.RS.encode(), names.QUERY.encode(), names.HL7.encode())
_SCRIPTED: Final = "Erreur simulée par le script"


@dataclass(slots=True)
class Behaviour:
    """How the DMP is set; changed at run time through `/control`. `extra`: effects on top of the script."""

    site: Site = field(default_factory=Site)
    script: Script = field(default_factory=Script)
    extra: Effects = ALL_WELL


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine is handed: seconds since the start, the hour, new UUIDs, who is told of each call."""

    now: Callable[[], float]
    wall: Callable[[], datetime]
    new_uuid: Callable[[], UUID]
    on_call: Callable[[Record], None]


class Engine:
    """Answers calls. `authority` is that of the certificates that sign."""

    def __init__(
        self,
        people: People,
        store: DmpStore,
        behaviour: Behaviour,
        authority: x509.Certificate,
        surroundings: Surroundings,
    ) -> None:
        self.people = people
        self.store = store
        self.behaviour = behaviour
        self.calls = CallLog()
        self._authority = authority
        self._around = surroundings

    def answer(self, http: HttpRequest) -> HttpReply:
        """Answer a call of one of the services."""
        transaction = _SERVICES.get(http.path.rstrip("/").rpartition("/")[2])
        if transaction is None:
            return error_reply(404, f"POST …/{', …/'.join(_SERVICES)}")
        if http.client != CALLER:
            return error_reply(403, f"the certificate of the connection is not {CALLER}")
        self.calls.count += 1
        with _buffer(http) as buffer:
            try:
                call = read_call(read_package(buffer, http.headers.get("content-type", "")), http.headers)
            except (MimeError, NotSoapError) as error:
                wrong = Fault("SimuMessage", f"Ce message n’est pas un appel : {error}")
                return self._finish(http, transaction, "", lambda _: (fault(names.SOAP12, "", wrong), wrong.code))
            if transaction == "TD3.1" and call.action == names.UPDATE_ACTION:
                transaction = "TD3.3c"
            patient = stated_patient(call.security)
            return self._finish(http, transaction, patient, lambda effects: self._answered(call, transaction, effects))

    def effects(self, transaction: str = "", matricule: str = "") -> Effects:
        """Return what is wrong now for a call of this kind about this patient."""
        behaviour = self.behaviour
        found = behaviour.script.effects(self._around.now(), self.calls.count, transaction, matricule)
        return found.under(behaviour.extra) if behaviour.extra.concern(transaction, matricule) else found

    def trust(self) -> Trust:
        """Return whose signatures count."""
        return Trust(self._authority, SIGNER, self.behaviour.site.sha1)

    def _finish(
        self,
        http: HttpRequest,
        transaction: Transaction,
        matricule: str,
        work: Callable[[Effects], tuple[HttpReply, str]],
    ) -> HttpReply:
        """Do the work of a call unless its effects forbid it, record it, spoil the answer."""
        effects = self.effects(transaction, matricule)
        if effects.outage or effects.http:
            reply, code = unavailable(effects), "" if effects.outage else f"http_{effects.http}"
        else:
            reply, code = work(effects)
            reply = spoil(reply, effects, _NAMESPACES)
            if effects.unanswered:
                reply, code = HttpReply(503, cut="closed", delay=reply.delay), ""
        criteria = criteria_hash(matricule) if matricule else ""
        seconds = round(self._around.now(), 3)
        record = Record(self.calls.count, seconds, http.client, transaction, criteria, code, effects.names())
        self.calls.add(record)
        self._around.on_call(record)
        return reply

    def _answered(self, call: Call, transaction: Transaction, effects: Effects) -> tuple[HttpReply, str]:
        try:
            return self._done(call, transaction, effects)
        except Fault as error:
            wrong = error
        except sqlite3.Error as error:
            wrong = Fault("SimuStockage", f"Le simulateur ne peut pas écrire : {error}", receiver=True)
        return fault(call.soap, call.message_id, wrong), wrong.code

    def _done(self, call: Call, transaction: Transaction, effects: Effects) -> tuple[HttpReply, str]:
        if effects.fault:
            raise Fault(effects.fault, _SCRIPTED, receiver=True)
        if call.action != _ACTIONS[transaction]:
            raise Fault("SimuAction", f"L’action n’est pas {_ACTIONS[transaction]}")
        now, site = self._around.wall(), self.behaviour.site
        window = timedelta(seconds=site.vihf_window_seconds)
        policy = Policy(self.trust(), site.vihf_versions, window, site.homologation)
        vihf = read_vihf(call.security, policy, now)
        rules = Rules(site.type_codes, site.masked_and_invisible)
        registry = Registry(self.people, self.store, self.trust(), rules, now, self._around.new_uuid)
        if transaction == "TD0.2":
            return self._existence(call, vihf, registry, effects)
        return self._registry(call, transaction, vihf, registry, effects)

    def _existence(self, call: Call, vihf: Vihf, registry: Registry, effects: Effects) -> tuple[HttpReply, str]:
        question = read_question(call)
        message, hour = str(registry.new_uuid()), registry.now.strftime("%Y%m%d%H%M%S")
        if effects.error:
            text, code = answer_error(question, effects.error, _SCRIPTED, message, hour), effects.error
        elif question.patient != vihf.patient:
            raise Fault("SimuPatient", "Le patient de la question n’est pas celui du VIHF")
        else:
            person = self.people.past(question.patient)
            dossier = self.people.dossier(person) if person else None
            text, code = answer_existence(question, dossier, message, hour), "OK" if dossier else "NF"
        return answer(call, _EXISTENCE_ANSWER, text), code

    def _registry(
        self, call: Call, transaction: Transaction, vihf: Vihf, registry: Registry, effects: Effects
    ) -> tuple[HttpReply, str]:
        wrong = [Problem(effects.error, _SCRIPTED)] if effects.error else []
        objects = ""
        if not wrong and transaction == "TD3.1":
            objects, wrong = search(call, vihf, registry)
        elif not wrong:
            wrong = feed(call, vihf, registry) if transaction == "TD2.1" else update(call, vihf, registry)
        text = query_response(objects, wrong) if transaction == "TD3.1" else registry_response(wrong)
        mtom = transaction == "TD2.1" and self.behaviour.site.mtom_answers
        code = wrong[0].code if wrong else "Success"
        return answer(call, f"{_ACTIONS[transaction]}Response", text, mtom=mtom), code


@contextmanager
def _buffer(http: HttpRequest) -> Iterator[Buffer]:
    """Give the bytes of a request: in memory, or those of its file without reading it."""
    if http.file is None:
        yield http.body
        return
    mapped = mmap(http.file.fileno(), 0, access=ACCESS_READ)
    try:
        yield mapped
    finally:
        mapped.close()
