"""TD2.1: a lot taken, or refused with its reasons (IHE ITI-41; CI-SIS « Partage de documents de santé »)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lxml import etree

from insigne.simulate.dmp import names, problems
from insigne.simulate.dmp.base import People
from insigne.simulate.dmp.coherence import check_document, check_traits
from insigne.simulate.dmp.header import Header, read_header
from insigne.simulate.dmp.lot import Object, read_lot
from insigne.simulate.dmp.metadata import Rules, Submitted, check, sort_lot
from insigne.simulate.dmp.mime import Content
from insigne.simulate.dmp.names import RIM
from insigne.simulate.dmp.problems import Problem
from insigne.simulate.dmp.seal import check_seal
from insigne.simulate.dmp.signature import Trust
from insigne.simulate.dmp.soap import Call, NotSoapError
from insigne.simulate.dmp.store import DmpStore, Stored
from insigne.simulate.dmp.vihf import Vihf
from insigne.simulate.insi.national import Registered


@dataclass(frozen=True, slots=True)
class Registry:
    """What every transaction works with: who is known, what is held, whose signatures count, the hour, new UUIDs."""

    people: People
    store: DmpStore
    trust: Trust
    rules: Rules
    now: datetime
    new_uuid: Callable[[], UUID]


def feed(call: Call, vihf: Vihf, registry: Registry) -> list[Problem]:
    """Take a lot durably, or return why it is refused. Raises Fault for what is no lot."""
    if vihf.mode != "INDIRECTE":
        return [Problem(problems.RIGHTS, f"{vihf.mode} ne permet pas d’alimenter (TD2.1)")]
    sorted_lot = sort_lot(read_lot(call))
    if isinstance(sorted_lot, Problem):
        return [sorted_lot]
    person = registry.people.person(vihf.patient)
    found = list(_patient_problems(person, registry)) or list(check(sorted_lot, vihf, registry.rules))
    if found or person is None:
        return found
    for entry in sorted_lot.documents:
        try:
            header = read_header(sorted_lot.lot.documents[entry.id])
        except NotSoapError as error:
            return [Problem(problems.DOCUMENT_METADATA, str(error), entry.id)]
        found += _document_problems(entry, header, sorted_lot, person, vihf, registry)
    found += check_seal(sorted_lot, registry.trust, registry.now)
    found = found or list(_unique(sorted_lot, registry.store))
    if not found:
        _keep(sorted_lot, person, vihf, registry)
    return found


def _patient_problems(person: Registered | None, registry: Registry) -> Iterator[Problem]:
    """Whether anything may be fed about this patient."""
    if person is None:
        yield Problem(problems.UNKNOWN_PATIENT, "l’INS n’est pas l’INS actif d’une personne connue")
        return
    dossier = registry.people.dossier(person)
    if dossier is None:
        yield Problem(problems.UNKNOWN_PATIENT, "le patient n’a pas de DMP")
    elif dossier.closed:
        yield Problem(problems.CLOSED, "DMP fermé")
    elif dossier.authorisation != "VALIDE":
        yield Problem(problems.RIGHTS, "le patient a bloqué l’accès de la structure à son DMP")


def _document_problems(
    entry: Object, header: Header, submitted: Submitted, person: Registered, vihf: Vihf, registry: Registry
) -> Iterator[Problem]:
    lot = submitted.lot
    yield from _measures(entry, lot.documents[entry.id])
    replaced = None
    targets = lot.linked(names.REPLACES, entry.id)
    if len(targets) > 1:
        yield Problem(problems.METADATA, "un document en remplace un seul", entry.id)
    elif targets:
        replaced = registry.store.by_entry(targets[0])
        yield from _replaced_problems(entry, replaced, person, vihf)
    yield from check_document(entry, header, vihf.patient, replaced.unique_id if replaced else "")
    yield from check_traits(entry, header, person)


def _measures(entry: Object, document: Content) -> Iterator[Problem]:
    """Compare the hash and the size given, if they are, with those of the bytes received."""
    digest, size = entry.slot("hash").lower(), entry.slot("size")
    if digest and digest != document.digest("sha1").hex():
        yield Problem(problems.OTHER_CONTENT, "hash n’est pas le SHA-1 du document reçu", entry.id)
    if size and size != str(document.size):
        yield Problem(problems.OTHER_SIZE, "size n’est pas la taille du document reçu", entry.id)


def _replaced_problems(entry: Object, old: Stored | None, person: Registered, vihf: Vihf) -> Iterator[Problem]:
    if old is None:
        yield Problem(problems.UNRESOLVED, "le document à remplacer (RPLC) n’existe pas", entry.id)
    elif old.person != person.ins.number:
        yield Problem(problems.OTHER_PATIENT, "le document à remplacer est celui d’un autre patient", entry.id)
    elif old.status != "approved":
        yield Problem(problems.DEPRECATED, "le document à remplacer est déjà remplacé ou supprimé", entry.id)
    elif old.structure != vihf.structure:
        yield Problem(problems.RIGHTS, "le document à remplacer vient d’une autre structure", entry.id)


def _unique(submitted: Submitted, store: DmpStore) -> Iterator[Problem]:
    """Yield what the registry has already. A document whose bytes are others is told apart from a repetition."""
    for entry in submitted.documents:
        name = entry.externals[names.UNIQUE]
        held = store.by_unique_id(name)
        if held is not None and held.hash != submitted.lot.documents[entry.id].digest("sha1").hex():
            yield Problem(problems.OTHER_CONTENT, "uniqueId déjà présent, avec un autre contenu", entry.id)
        elif held is not None or store.has_submission(name):
            yield Problem(problems.DUPLICATE, "uniqueId du document déjà présent", entry.id)
    others = [submitted.submission.externals[names.SET_UNIQUE]]
    if submitted.signature is not None:
        others.append(submitted.signature.externals[names.UNIQUE])
    for name in others:
        if store.has_submission(name) or store.by_unique_id(name) is not None:
            yield Problem(problems.DUPLICATE, "uniqueId du lot ou de sa signature déjà présent")


def _keep(submitted: Submitted, person: Registered, vihf: Vihf, registry: Registry) -> None:
    received = registry.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    documents = [
        (_stored(entry, submitted, person, vihf, registry, received), submitted.lot.documents[entry.id])
        for entry in submitted.documents
    ]
    signed = [submitted.signature.externals[names.UNIQUE]] if submitted.signature else []
    registry.store.add(documents, submitted.submission.externals[names.SET_UNIQUE], signed, received)


def _stored(
    entry: Object, submitted: Submitted, person: Registered, vihf: Vihf, registry: Registry, received: str
) -> Stored:
    identifier = names.urn(str(registry.new_uuid()))
    content = submitted.lot.documents[entry.id]
    digest, size = content.digest("sha1").hex(), content.size
    replaced = [registry.store.by_entry(one) for one in submitted.lot.linked(names.REPLACES, entry.id)]
    kind, family = entry.one(names.TYPE), entry.one(names.CLASS)
    return Stored(
        unique_id=entry.externals[names.UNIQUE],
        entry_uuid=identifier,
        logical_id=identifier,
        person=person.ins.number,
        patient=f"{vihf.patient.oid}|{vihf.patient.matricule}",
        structure=vihf.structure,
        status="approved",
        hash=digest,
        size=size,
        mime=entry.mime,
        title=entry.title,
        type_code=kind.code if kind else "",
        class_code=family.code if family else "",
        confidentiality=" ".join(one.code for one in entry.classes.get(names.CONFIDENTIALITY, ())),
        created=entry.slot("creationTime"),
        submitted=submitted.submission.slot("submissionTime"),
        submission=submitted.submission.externals[names.SET_UNIQUE],
        replaces=next((one.unique_id for one in replaced if one), ""),
        received=received,
        changed=received,
        metadata=_metadata(entry, identifier, digest, size),
    )


def _metadata(entry: Object, identifier: str, digest: str, size: int) -> bytes:
    """Return the entry as the registry gives it back: with the identifiers and measures that it adds."""
    element = etree.fromstring(etree.tostring(entry.element, with_tail=False))
    for slot in element.findall(f"{{{RIM}}}Slot"):
        if slot.get("name") in ("hash", "size", "repositoryUniqueId"):
            element.remove(slot)
    for name, value in (("repositoryUniqueId", names.REPOSITORY), ("size", str(size)), ("hash", digest)):
        slot = etree.Element(f"{{{RIM}}}Slot", name=name)
        etree.SubElement(etree.SubElement(slot, f"{{{RIM}}}ValueList"), f"{{{RIM}}}Value").text = value
        element.insert(0, slot)
    old = element.get("id")
    for child in element.iter():
        for attribute in ("classifiedObject", "registryObject"):
            if child.get(attribute) == old:
                child.set(attribute, identifier)
    element.set("id", identifier)
    element.set("lid", identifier)
    return etree.tostring(element)
