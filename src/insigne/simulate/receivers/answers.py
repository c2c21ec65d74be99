"""The bytes of answers that are wrong on purpose. Pure."""

from collections.abc import Callable, Mapping

from insigne.hl7 import AckError, build_ack, frame
from insigne.hl7.mllp import END, START
from insigne.simulate.receivers.script import Fault, When

#: What MSA-3 says where accents must show whether a character set is right.
_ACCENTED = "Identité déjà reçue"


def refusal(raw: bytes, fault: When, *, time: str, control_id: str) -> bytes:
    """The acknowledgement AE or AR of a message."""
    code = "AE" if fault.do == "error" else "AR"
    error = AckError(fault.condition, text="refused by the script")
    return build_ack(raw, code, time=time, control_id=control_id, errors=(error,))


def spoilt(do: Fault, ack: bytes) -> bytes:
    """The bytes to send instead of the frame of an acknowledgement; the frame itself for a fault of another kind."""
    return _SPOILERS.get(do, frame)(ack)


def _with_msa(ack: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    lines = ack.split(b"\r")
    fields = lines[1].split(b"|")
    change(fields)
    lines[1] = b"|".join(fields)
    return b"\r".join(lines)


def _wrong_id(ack: bytes) -> bytes:
    def change(fields: list[bytes]) -> None:
        fields[2] = b"X" + fields[2][1:] if not fields[2].startswith(b"X") else b"Y" + fields[2][1:]

    return frame(_with_msa(ack, change))


def _charset_lie(ack: bytes) -> bytes:
    def change(fields: list[bytes]) -> None:
        fields[3:] = [_ACCENTED.encode()]

    lines = _with_msa(ack, change).split(b"\r")
    header = lines[0].split(b"|")
    header += [b""] * (18 - len(header))
    header[17] = b"8859/1"
    lines[0] = b"|".join(header)
    return frame(b"\r".join(lines))


def _other_delimiters(ack: bytes) -> bytes:
    # MSH-1 ":" and MSH-2 ";~\&": what stood for a separator becomes the other one, the texts of ours hold neither.
    changed = ack.replace(b":", b" ").replace(b";", b" ").replace(b"|", b":").replace(b"^", b";")
    return frame(changed)


_SPOILERS: Mapping[str, Callable[[bytes], bytes]] = {
    "wrong-id": _wrong_id,
    "twice": lambda ack: frame(ack) * 2,
    "garbage": lambda _: frame(b"HELLO, IS ANYBODY THERE?\r"),
    "junk-around": lambda ack: b"\x00junk\r\n" + frame(ack) + b"\r\n\x00",
    "double-frame": lambda ack: START + frame(ack) + END,
    "no-final-cr": lambda ack: frame(ack.rstrip(b"\r")),
    "half-frame": lambda ack: frame(ack)[: len(ack) // 2],
    "other-delimiters": _other_delimiters,
    "charset-lie": _charset_lie,
    "utf-16": lambda ack: START + ack.decode("latin-1").encode("utf-16-be") + END,
}
