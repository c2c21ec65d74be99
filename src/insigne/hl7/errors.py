"""What can be wrong with a message, and the codes that say so on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from insigne.hl7.location import Location

#: HL7 table 0357, message error condition codes (HL7 v2.5 §2.17.1; 198 and 199 of later versions).
CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "0": "Message accepted",
        "100": "Segment sequence error",
        "101": "Required field missing",
        "102": "Data type error",
        "103": "Table value not found",
        "198": "Non-conformant cardinality",
        "199": "Other HL7 error",
        "200": "Unsupported message type",
        "201": "Unsupported event code",
        "202": "Unsupported processing id",
        "203": "Unsupported version id",
        "204": "Unknown key identifier",
        "205": "Duplicate key identifier",
        "206": "Application record locked",
        "207": "Application internal error",
    }
)


@dataclass(frozen=True, slots=True)
class Note:
    """Something unusual that did not prevent reading: a stable code, and a sentence without field content."""

    code: str
    text: str


class Hl7Error(Exception):
    """A message that cannot be read. It carries the answer to put on the wire.

    ack: "AE" (content) or "AR" (header or structure), for MSA-1.
    condition: code of table 0357, for ERR-3.
    text: an explanation that is safe to send to a peer: no field content.
    location: the place of the fault, for ERR-2, when known.
    offset: offset in bytes of the fault from the first byte received, when known.
    """

    def __init__(
        self, ack: str, condition: str, text: str, *, location: Location | None = None, offset: int | None = None
    ) -> None:
        super().__init__(text)
        self.ack = ack
        self.condition = condition
        self.text = text
        self.location = location
        self.offset = offset
