"""The discharge letter that tests of the DMP and of MSSanté are about: its description, and as intake keeps it."""

from datetime import datetime, timedelta, timezone

from insigne.dmp.model import Content, Document, Flags, Intent, Sender, StayRef
from insigne.documents.cda.description import Description, Event, Organization, Professional, Stay

PARIS = timezone(timedelta(hours=1))
TITLE = "Lettre de liaison à la sortie"
AUTHOR = Professional(
    id="810012345678",
    family="LEROUX",
    given="Anne",
    profession="G15_10/SM26",
    profession_name="Médecin - Qualifié en médecine générale (SM)",
    organization=Organization(id="1750000001", name="CH Exemple"),
)
SENDER = Sender(
    person_id="810012345678", family="LEROUX", given="Anne", structure_id="1750000001", structure_name="CH Exemple"
)


def described(unique_id, **changes):
    """What its author says of it."""
    given = {
        "code": "11490-0",
        "title": TITLE,
        "time": datetime(2026, 3, 2, 10, 15, tzinfo=PARIS),
        "author": AUTHOR,
        "id": unique_id,
        "event": Event(start=datetime(2026, 2, 25, 0, 30, tzinfo=PARIS), end=datetime(2026, 3, 2, 10, 0, tzinfo=PARIS)),
        "stay": Stay(),
    }
    return Description(**{**given, **changes})


def kept(unique_id, **changes):
    """The document as intake keeps it: its sender is its author."""
    given = {
        "id": "01JDOC00000000000000000000",
        "received": "2026-03-02T09:20:00.000Z",
        "source": "mllp:DPI",
        "message": "",
        "control_id": "M1",
        "sending": "DPI|CHEX",
        "intent": Intent.INITIAL,
        "unique_id": unique_id,
        "set_id": unique_id,
        "version": 1,
        "parent": "",
        "type_code": "11490-0",
        "title": TITLE,
        "confidentiality": "N",
        "created": "2026-03-02T09:15:00.000Z",
        "identity": "01JPAT00000000000000000000",
        "patient": b"[]",
        "content": Content("0" * 64, 1, "text/xml"),
        "flags": Flags(masked_professionals=True),
        "sender": SENDER,
        "stay": StayRef(patient_class="I"),
    }
    return Document(**{**given, **changes})
