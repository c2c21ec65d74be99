"""A document in the form it leaves in: a CDA that bears the INS of its patient, as the registry knows them now."""

import tempfile
from typing import BinaryIO, Final, cast

import msgspec
from lxml import etree

from insigne.dmp.model import Document
from insigne.dmp.ports import Errand
from insigne.dmp.states import Environment, ins_text, is_right
from insigne.dmp.whose import patient_of as received
from insigne.dmp.wire.cda import Measured, measure, rewrite
from insigne.documents.agreement import STATUS, differences
from insigne.documents.cda import terms
from insigne.documents.cda.build import write_cda
from insigne.documents.cda.description import Description
from insigne.documents.cda.patient import patient as write_patient
from insigne.documents.cda.who import Patient, patient_of
from insigne.documents.errors import DocumentError
from insigne.ins.cog import Cog
from insigne.ins.matricule import nature_of
from insigne.registry.state import Identity
from insigne.registry.values import Ins

_IN_MEMORY: Final = 4 << 20
"""Bytes of a document kept in memory; a longer one goes to a file without a name."""
_INS: Final = "INS"
"""Type of the INS among the identifiers received (`intake.taking.patient_json`)."""
_description: Final = msgspec.json.Decoder(Description)


def is_ours(document: Document) -> bool:
    """Whether its CDA is built here."""
    return bool(document.description)


class Leaving:
    """Gives the CDA of an errand. Threads may share it."""

    def __init__(self, environment: Environment, cog: Cog, *, complete: bool) -> None:
        """`complete`: a CDA without INS is given the registry's, else it is refused (`dmp.without_ins`)."""
        self._environment = environment
        self._cog = cog
        self._complete = complete

    def __call__(self, errand: Errand) -> BinaryIO:
        """The document, to be read from its start and closed.

        Raises DocumentError, whose rule is 903 (no INS), 904 (another INS, or traits that are not the registry's) or
        906 (no content any more), WireError for what is no CDA.
        """
        if errand.content is None:
            raise DocumentError("906", "the document has no content any more", "le document n’a plus de contenu")
        document = errand.document if errand.document.content is not None else errand.target_document
        source = errand.content()
        if document is not None and is_ours(document):
            with source:
                return self._built(source, document, errand)
        measured = measure(source)
        patient = patient_of(measured.root)
        if patient.ins is None:
            with source:
                return self._completed(source, measured, errand)
        self._check(patient, errand)
        if _as_first_version(measured, errand):
            with source:
                return _rewritten(measured, source)
        source.seek(0)
        return source

    def _built(self, source: BinaryIO, document: Document, errand: Errand) -> BinaryIO:
        description = _description.decode(document.description)
        if errand.action == "feed":
            description = msgspec.structs.replace(description, replaces="")
        target = _file()
        write_cda(source, target, _needed(errand), description, self._environment, self._cog)
        target.seek(0)
        return target

    def _check(self, patient: Patient, errand: Errand) -> None:
        """The INS and the traits that the document bears are those it leaves under."""
        if patient.ins != errand.ins:
            raise DocumentError(
                "904",
                "the document bears another INS than the one its patient holds",
                "le document porte une autre INS que celle de son patient",
            )
        if errand.action == "delete":
            return
        names = [one.name for one in differences(patient.payload(), _needed(errand)) if one.field != STATUS]
        if names:
            listed = ", ".join(names)
            raise DocumentError(
                "904",
                f"traits of the document are not those of the registry: {listed}",
                f"des traits du document ne sont pas ceux du référentiel d’identités : {listed}",
            )

    def _completed(self, source: BinaryIO, measured: Measured, errand: Errand) -> BinaryIO:
        """The document with the patient as the registry has them: INS first, then the numbers it bore, traits."""
        if not self._complete:
            raise DocumentError("903", "the document bears no INS", "le document ne porte pas d’INS")
        identity = _needed(errand)
        self._check_said(errand, identity)
        self._check_traits(patient_of(measured.root), identity)
        role = measured.root.find(_path("recordTarget/patientRole"))
        if role is None:
            raise DocumentError("906", "the document has no recordTarget", "le document n’a pas de recordTarget")
        made = etree.Element(f"{{{terms.CDA}}}recordTarget")
        write_patient(made, identity, errand.ins, self._cog)
        ours = made.find(_path("patientRole"))
        assert ours is not None  # noqa: S101 - just written
        _give(role, ours)
        _as_first_version(measured, errand)
        return _rewritten(measured, source)

    def _check_said(self, errand: Errand, identity: Identity) -> None:
        """Nobody's document is given an INS that is not the one held, nor one that its message contradicts."""
        said = [errand.ins] + [
            Ins(one.value, one.authority.universal_id) for one in received(errand.document) if one.type == _INS
        ]
        if not all(is_right(ins_text(one), identity, self._environment) for one in said):
            raise DocumentError(
                "904",
                "the document bears no INS, and came or left under another one than its patient holds",
                "le document ne porte pas d’INS, et est venu ou parti sous une autre que celle de son patient",
            )

    @staticmethod
    def _check_traits(patient: Patient, identity: Identity) -> None:
        """A document of a person whose traits are those of somebody else is given nobody's INS."""
        skipped = {STATUS, "S1", "S2"} | (set() if patient.birth_date else {"S6"})
        compared = differences(patient.payload(), identity)
        names = [one.name for one in compared if one.field not in skipped and one.document]
        if names:
            listed = ", ".join(names)
            raise DocumentError(
                "904",
                f"traits of the document, which bears no INS, are not those of the registry: {listed}",
                f"des traits du document, qui ne porte pas d’INS, ne sont pas ceux du référentiel : {listed}",
            )


def _as_first_version(measured: Measured, errand: Errand) -> bool:
    """Let a version whose predecessor never arrived replace none; whether anything had to be changed for that."""
    replaced = measured.root.findall(f"{_path('relatedDocument')}[@typeCode='RPLC']") if errand.action == "feed" else []
    for one in replaced:
        measured.root.remove(one)
    return bool(replaced)


def _rewritten(measured: Measured, source: BinaryIO) -> BinaryIO:
    target = _file()
    rewrite(measured, source, target)
    target.seek(0)
    return target


def _give(role: etree._Element, ours: etree._Element) -> None:
    """Put the INS before the ids of a role, and the patient of ours in the place of its own."""
    number = ours.find(_path("id"))
    person, mine = role.find(_path("patient")), ours.find(_path("patient"))
    assert number is not None  # noqa: S101 - always written
    assert mine is not None  # noqa: S101 - always written
    for one in role.findall(_path("id")):
        if nature_of(one.get("root", "")) is not None:
            role.remove(one)
    role.insert(0, number)
    if person is None:
        role.append(mine)
        return
    guardian, place = person.find(_path("guardian")), mine.find(_path("birthplace"))
    if guardian is not None:
        mine.insert(len(mine) if place is None else mine.index(place), guardian)
    role.replace(person, mine)


def _needed(errand: Errand) -> Identity:
    if errand.identity is None:
        raise DocumentError("906", "the patient is not known any more", "le patient n’est plus connu")
    return errand.identity


def _file() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))


def _path(path: str) -> str:
    return "/".join(f"{{{terms.CDA}}}{step}" for step in path.split("/"))
