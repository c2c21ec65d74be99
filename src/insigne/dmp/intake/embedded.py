"""What an OBX of type ED holds in OBX-5: base64, where it stands in the message."""

import base64
import binascii
from typing import Final

from msgspec import Struct

from insigne.dmp.intake.body import Body, BodyError, decode
from insigne.dmp.intake.codes import Code, IntakeRefused, malformed, refused
from insigne.hl7 import Location, Segment
from insigne.hl7.bulk import bulk_of, lighten

_LONGEST_TEXT: Final = 100_000
"""Bytes of the text of a mail, at most."""


class Embedded(Struct, frozen=True):
    """Encoded bytes and their place in the message."""

    encoded: bytes | memoryview
    encoding: str
    place: Location

    def body(self, most: int) -> Body:
        """Decode a document. Raises IntakeRefused for what is not base64 from end to end, or larger than `most`."""
        if self.encoding not in ("BASE64", ""):
            raise malformed("103", self.place, "OBX-5.4 of a document is Base64", "OBX-5.4 d’un document vaut Base64")
        try:
            return decode(self.encoded, most)
        except BodyError as error:
            match error.reason:
                case "size":
                    text = f"the document has more than {most} bytes (dmp.intake.max_bytes)"
                    text_fr = f"le document dépasse {most} octets (dmp.intake.max_bytes)"
                    raise refused(Code.OTHER, text, text_fr, self.place, "size") from None
                case "empty":
                    text, text_fr = "OBX-5.5 holds no document", "OBX-5.5 ne contient pas de document"
                    raise malformed("101", self.place, text, text_fr) from None
                case _:
                    text, text_fr = "OBX-5.5 is not whole base64", "OBX-5.5 n’est pas du base64 entier"
                    raise malformed("102", self.place, text, text_fr) from None

    def text(self) -> str:
        """A text for a mail: what can be read of it, since example messages cut theirs short.

        Raises IntakeRefused (906) for a longer one than is mailed: none is cut.
        """
        if len(self.encoded) > 2 * _LONGEST_TEXT:
            raise self._too_long()
        encoded = bytes(self.encoded)
        if self.encoding not in ("BASE64", ""):
            return encoded.decode("utf-8", "replace")
        try:
            return decode(encoded, _LONGEST_TEXT).start(_LONGEST_TEXT).decode("utf-8", "replace")
        except BodyError as error:
            if error.reason == "size":
                raise self._too_long() from None
        try:
            return base64.b64decode(encoded[: len(encoded) // 4 * 4]).decode("utf-8", "replace")
        except binascii.Error:
            return ""

    def _too_long(self) -> IntakeRefused:
        text = f"the text of a mail has more than {_LONGEST_TEXT} bytes"
        text_fr = f"le texte d’un courriel dépasse {_LONGEST_TEXT} octets"
        return refused(Code.OTHER, text, text_fr, self.place, "size")


def embedded(obx: Segment, raw: bytes) -> Embedded:
    """What an OBX holds; `raw` is the whole message, from which a very large value is taken without copying it."""
    decoded = obx.components(5)
    components = decoded[0] if decoded else []
    text = components[4] if len(components) > 4 else ""
    encoding = components[3].strip().upper() if len(components) > 3 else ""
    place = obx.location(5)
    number = bulk_of(text)
    spans = lighten(raw).spans if number is not None else ()
    if number is not None and number < len(spans):
        start, end = spans[number]
        return Embedded(memoryview(raw)[start:end], encoding, place)
    return Embedded(text.encode("utf-8"), encoding, place)
