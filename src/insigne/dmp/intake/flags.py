"""The MetaDMPMSS block of OBX segments (volet, « métadonnées DMP/MSSanté »), with the variants met in the field.

Files of the ANS write a flag in two ways (`ACK_LECTURE`, `ACK_LECTURE_MSS`), name the table of Y and N in two
(`expandedYes-NoIndicator`, `HL70136`) and order them freely between versions: what counts is OBX-3.1 and OBX-5.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from insigne.dmp.intake.codes import Fault, IntakeRefused
from insigne.dmp.model import Flags
from insigne.hl7 import Location, Segment

SYSTEM: Final = "METADMPMSS"
#: OBX-3.1 → field of `Flags`.
NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MASQUE_PS": "masked_professionals",
        "INVISIBLE_PATIENT": "hidden_patient",
        "INVISIBLE_REP_LEGAUX": "hidden_representatives",
        "CONNEXION_SECRETE": "secret_connection",
        "MODIF_CONF_CODE": "confidentiality_only",
        "DESTDMP": "to_dmp",
        "DESTMSSANTEPS": "to_professionals",
        "DESTMSSANTEPAT": "to_patient",
        "ACK_RECEPTION": "ack_reception",
        "ACK_LECTURE_MSS": "ack_read",
    }
)
_VARIANTS: Final = {"ACK_LECTURE": "ACK_LECTURE_MSS", "INVISIBLE_REPRESENTANTS_LEGAUX": "INVISIBLE_REP_LEGAUX"}
#: Those without which nothing is done: the destinations. The others are told twice or not at all in the field.
_REQUIRED: Final = tuple(NAMES)[:8]
_BODIES: Final = frozenset({"CORPSMAIL_PS", "CORPSMAIL_PATIENT"})
_PATIENT_MAIL: Final = "DESTMSSANTEPAT"
_NO_REPLY: Final = "FIN"
_VALUES: Final = {"Y": True, "N": False}


class Observation(NamedTuple):
    """An OBX with the NTE segments that follow it."""

    obx: Segment
    notes: Sequence[Segment]


def is_flag(obx: Segment) -> bool:
    """Whether an OBX is of the block: by its coding system or, where that is missing, by its code."""
    system = obx.value(3, 3).strip().replace("/", "").upper()
    return system == SYSTEM or named(obx) in NAMES or named(obx) in _BODIES


def named(obx: Segment) -> str:
    """OBX-3.1 in its one spelling."""
    code = obx.value(3).strip().upper()
    return _VARIANTS.get(code, code)


def read_flags(block: Iterable[Observation], required: Literal["required", "optional"]) -> Flags:
    """Read the block.

    Raises IntakeRefused for a flag that is there twice with two values, is neither Y nor N, or is missing where it
    must be there: guessing who may see a document is not ours to do.
    """
    found: dict[str, bool] = {}
    faults: list[Fault] = []
    no_reply = False
    for obx, notes in block:
        name = named(obx)
        if name not in NAMES:
            continue
        value = _VALUES.get(obx.value(5).strip().upper())
        if value is None:
            faults.append(
                Fault(
                    f"{name} is neither Y nor N: write one of them in OBX-5.1",
                    f"{name} ne vaut ni Y ni N : l’écrire en OBX-5.1",
                    obx.location(5),
                    "103",
                )
            )
        elif found.setdefault(name, value) is not value:
            faults.append(
                Fault(f"{name} is there twice, with two values", f"{name} figure deux fois", obx.location(5), "198")
            )
        if name == _PATIENT_MAIL:
            no_reply = any(_NO_REPLY in (note.value(4).strip(), note.value(3).strip()) for note in notes)
    needed = _REQUIRED if required == "required" else ("DESTDMP",)
    faults += [
        Fault(
            f"the flag {name} is missing: say Y or N",
            f"la balise {name} est absente : indiquer Y ou N",
            Location("OBX", field=3),
            "101",
        )
        for name in needed
        if name not in found
    ]
    if faults:
        raise IntakeRefused(*faults)
    return Flags(**{NAMES[name]: value for name, value in found.items()}, no_reply=no_reply)
