"""HL7 v2 without sockets: MLLP framing, ER7 reading and writing, character sets, acknowledgements. Knows no patient."""

from insigne.hl7.ack import Ack, AckError, build_ack, parse_ack
from insigne.hl7.charset import CharsetPolicy
from insigne.hl7.delimiters import NULL, Delimiters
from insigne.hl7.errors import CONDITIONS, Hl7Error, Note
from insigne.hl7.files import split_messages
from insigne.hl7.location import Location
from insigne.hl7.message import Message
from insigne.hl7.mllp import Frame, Junk, MllpDecoder, frame
from insigne.hl7.segment import Segment, decode_field

__all__ = [
    "CONDITIONS",
    "NULL",
    "Ack",
    "AckError",
    "CharsetPolicy",
    "Delimiters",
    "Frame",
    "Hl7Error",
    "Junk",
    "Location",
    "Message",
    "MllpDecoder",
    "Note",
    "Segment",
    "build_ack",
    "decode_field",
    "frame",
    "parse_ack",
    "split_messages",
]
