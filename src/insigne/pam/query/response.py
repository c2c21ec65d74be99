"""Writing RSP^K23 (ITI-9) and RSP^K22 (ITI-21), and the acknowledgement of QCN^J01."""

from typing import Final, Literal

import msgspec

from insigne.hl7 import AckError, Message, Segment
from insigne.hl7.ack import error_segment
from insigne.hl7.delimiters import STANDARD
from insigne.pam.encode.dialect import CHARSETS

Status = Literal["OK", "NF", "AE", "AR"]

#: Event of the query → event and structure of its answer.
_ANSWERS: Final = {"Q23": ("K23", "RSP_K23"), "Q22": ("K22", "RSP_K21")}
_DECLARED: Final = {declared: (declared, codec) for declared, codec in CHARSETS.values() if declared}


class Reply(msgspec.Struct, frozen=True):
    """What is answered: MSA-1, QAK-2, the errors, the lines of segments found.

    `total` and `left` count people: all that were found, and those still to be asked for. `pointer` is DSC-1, "" when
    that is all.
    """

    code: str
    status: Status
    errors: tuple[AckError, ...] = ()
    lines: tuple[str, ...] = ()
    total: int = 0
    left: int = 0
    pointer: str = ""


def respond(query: Message, reply: Reply, *, time: str, control_id: str) -> bytes:
    """The answer in the character set of the query (UTF-8 when it names none we know). `time` is MSH-7.

    Texts that this character set lacks are written with question marks, as a receiver of that set sees them anywhere.
    """
    declared, codec = _DECLARED.get(query.declared_charset, CHARSETS["utf-8"])
    event, structure = _ANSWERS.get(query.trigger, ("K22", "RSP_K21"))
    qpd = query.segment("QPD")
    parties = (_plain(query, 5), _plain(query, 6), _plain(query, 3), _plain(query, 4))
    version = _plain(query, 12) or "2.5"
    processing = _plain(query, 11) or "P"
    control = STANDARD.escape(control_id)
    lines = [
        "|".join(
            ("MSH", "^~\\&", *parties, time, "", f"RSP^{event}^{structure}", control, processing, version, "", "", "")
        )
        + f"|||{declared}",
        f"MSA|{reply.code}|{STANDARD.escape(query.control_id)}",
        *(error_segment(error) for error in reply.errors),
        _qak(qpd, reply, counted=event == "K22"),
    ]
    if qpd is not None:
        lines.append(_rewritten(qpd))
    lines += reply.lines
    if reply.pointer:
        lines.append(f"DSC|{STANDARD.escape(reply.pointer)}|I")
    return ("\r".join(lines) + "\r").encode(codec, "replace")


def _qak(qpd: Segment | None, reply: Reply, *, counted: bool) -> str:
    """QAK: tag, status, name of the query and, for people, how many there are, are here, and are left."""
    tag = STANDARD.escape(qpd.value(2)) if qpd is not None else ""
    name = _field(qpd, 1) if qpd is not None else ""
    line = f"QAK|{tag}|{reply.status}|{name}"
    if counted and reply.status in ("OK", "NF"):
        line += f"|{reply.total}|{len(reply.lines)}|{reply.left}"
    return line.rstrip("|")


def _rewritten(segment: Segment) -> str:
    """A segment with the recommended delimiters, whatever those it came with."""
    fields = [_field(segment, number) for number in range(1, segment.field_count + 1)]
    return "|".join((segment.name, *fields)).rstrip("|")


def _field(segment: Segment, number: int) -> str:
    return "~".join(
        "^".join("&".join(map(STANDARD.escape, component)) for component in repetition)
        for repetition in segment.decoded(number)
    )


def _plain(query: Message, number: int) -> str:
    """A field of the header of the query."""
    msh = query.segment("MSH")
    return _field(msh, number) if msh is not None else ""
