"""What a played DPI produces: letters, prescriptions and results, as pages and as the messages that carry them.

People and words are made up. The messages are of the ANS volet « Transmission de documents CDA en HL7v2 » 2.1:
ORU^R01 in HL7 2.5, MDM^T02 and T10 in HL7 2.6.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final, Literal

import msgspec

from insigne.documents.cda.description import Description, Event, Organization, Professional
from insigne.documents.render import render_text
from insigne.hl7.delimiters import STANDARD
from insigne.ins.matricule import NAMESPACES
from insigne.registry.state import Identity
from insigne.simulate.hospital_plan import PATIENT_OID

Kind = Literal["letter", "prescription", "results"]

APPLICATION: Final = "DPI"
FACILITY: Final = "CH-VALBRUME"
GEOGRAPHIC_FINESS: Final = "990000019"
DOCUMENT_OID: Final = f"{PATIENT_OID}.77"
"""Under it, a number for each document."""
_WRITTEN: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_STRUCTURE: Final = Organization(id=f"1{GEOGRAPHIC_FINESS}", name="Centre hospitalier de Valbrume")
_AUTHOR: Final = Professional(
    id="899900000123",
    family="TARVENNE",
    given="Odile",
    title="DR",
    profession="G15_10/SM26",
    profession_name="Médecin - Qualifié en médecine générale (SM)",
    organization=_STRUCTURE,
)
_FLAGS: Final = (
    "MASQUE_PS",
    "INVISIBLE_PATIENT",
    "INVISIBLE_REP_LEGAUX",
    "CONNEXION_SECRETE",
    "MODIF_CONF_CODE",
    "DESTDMP",
    "DESTMSSANTEPS",
    "DESTMSSANTEPAT",
    "ACK_RECEPTION",
    "ACK_LECTURE_MSS",
)


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of document: its type (JDV_J07), its title, what it says."""

    code: str
    title: str
    lines: tuple[str, ...]


MODELS: Final[dict[Kind, Model]] = {
    "letter": Model(
        "11490-0",
        "Lettre de liaison à la sortie",
        (
            "Cher confrère,",
            "",
            "Le séjour de votre patient s’est déroulé sans incident. L’état clinique est stable, le traitement est",
            "reconduit à l’identique et une consultation de contrôle est prévue dans six semaines.",
        ),
    ),
    "prescription": Model(
        "57833-6",
        "Ordonnance de sortie",
        ("Paracétamol 500 mg : un comprimé trois fois par jour pendant cinq jours.", "Ordonnance non renouvelable."),
    ),
    "results": Model(
        "11502-2",
        "CR d’examens biologiques",
        ("Hémoglobine : 13,8 g/dL", "Leucocytes : 6,2 G/L", "Créatinine : 71 µmol/L", "CRP : inférieure à 4 mg/L"),
    ),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One version of one document. `number` is its own; `first` that of the first version, the same for that one."""

    number: int
    kind: Kind
    moment: datetime
    first: int
    replaces: int = 0

    @property
    def unique_id(self) -> str:
        """Its id, an OID."""
        return f"{DOCUMENT_OID}.{self.number}"

    @property
    def model(self) -> Model:
        """What kind of document it is."""
        return MODELS[self.kind]


def pages(letter: Letter) -> bytes:
    """The document as PDF/A, without banner."""
    return _pages(letter.kind, corrected=bool(letter.replaces))


@cache
def _pages(kind: Kind, *, corrected: bool) -> bytes:
    model = MODELS[kind]
    version = ["", "Version corrigée."] if corrected else []
    text = [_STRUCTURE.name, "", *model.lines, *version, "", "Dr Odile TARVENNE"]
    return render_text("\n".join(text), model.title, _WRITTEN)


def description(letter: Letter) -> Description:
    """What is said of it beside the registry."""
    model = letter.model
    return Description(
        code=model.code,
        title=model.title,
        time=letter.moment,
        author=_AUTHOR,
        id=letter.unique_id,
        set_id=f"{DOCUMENT_OID}.{letter.first}",
        version=2 if letter.replaces else 1,
        replaces=f"{DOCUMENT_OID}.{letter.replaces}" if letter.replaces else "",
        event=Event(start=letter.moment),
    )


def description_file(letter: Letter) -> bytes:
    """The same as a file, in JSON."""
    return msgspec.json.encode(description(letter))


def message(letter: Letter, cda: bytes, identity: Identity, *, flags: Sequence[str] = ("DESTDMP",)) -> bytes:
    """The message a DPI sends a CDA in: results by ORU, the rest by MDM; `flags` are those of MetaDMPMSS that are Y."""
    model = letter.model
    mdm = letter.kind != "results"
    trigger, order, status = ("T10", "RO", "C") if letter.replaces else ("T02", "NW", "F")
    event, version = (f"MDM^{trigger}^MDM_T02", "2.6") if mdm else ("ORU^R01^ORU_R01", "2.5")
    moment = letter.moment.strftime("%Y%m%d%H%M%S%z")
    what = f"{model.code}^{STANDARD.escape(model.title)}^LN"
    parent = f"{DOCUMENT_OID}.{letter.replaces}" if letter.replaces else ""
    sent = f"{APPLICATION}|{FACILITY}|PFI|{FACILITY}|{moment}||{event}|DOC{letter.number:08d}|P|{version}"
    lines = [
        f"MSH|^~\\&|{sent}|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2",
        *([f"EVN||{moment}"] if mdm else []),
        _pid(identity),
        "PV1|1|N",
        f"ORC|{order}",
        f"OBR|1|||{what}",
    ]
    if mdm:
        author = "899900000123^TARVENNE^Odile"
        lines.append(f"TXA|1|{model.code}|TEXT|{moment}|||||{author}|||{letter.unique_id}|{parent}||||AU")
    lines.append(f"OBX|1|ED|{what}||^TEXT^XML^Base64^{base64.b64encode(cda).decode()}||||||{status}")
    lines.append(_sent_by())
    coded = "CWE" if mdm else "CE"
    for rank, name in enumerate(_FLAGS, 2):
        said = "Y" if name in flags else "N"
        lines.append(f"OBX|{rank}|{coded}|{name}^{name}^MetaDMPMSS||{said}^^expandedYes-NoIndicator||||||F")
    return "".join(f"{line}\r" for line in lines).encode()


def _pid(identity: Identity) -> str:
    """The patient as the DPI knows them: the INS only when qualified."""
    ids = [
        f"{held.identifier.value}^^^{held.identifier.authority.namespace}&{held.identifier.authority.universal_id}&ISO^PI"
        for held in identity.identifiers
        if held.current and held.identifier.type == "PI"
    ]
    if identity.qualified and identity.ins is not None:
        ins = identity.ins.ins
        ids.append(f"{ins.matricule}^^^{NAMESPACES[ins.oid]}&{ins.oid}&ISO^INS")
    traits = identity.traits
    name = f"{traits.birth_name}^{traits.first_given_name}^{traits.given_names}^^^^L"
    status = "VALI" if identity.checked else "PROV"
    place = f"^^^^^^BDL^^{traits.birth_place}"
    fields = {3: "~".join(ids), 5: name, 7: traits.birth_date, 8: traits.sex, 11: place, 32: status}
    return "|".join(["PID", *(fields.get(number, "") for number in range(1, 33))])


def _sent_by() -> str:
    person = f"{_AUTHOR.id}^{_AUTHOR.family}^{_AUTHOR.given}^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    place = f"{_STRUCTURE.name}^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^{GEOGRAPHIC_FINESS}"
    return f"PRT||UC||SB^Send by^participation|{person}|||{place}"
