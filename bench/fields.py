"""Bytes to the fields that identify a patient, by our reader and by each peer; all must say the same.

MSH-9 and MSH-10; all of PID-3 (number, namespace, OID, type); all of PID-5 (family, given, list of given names, type);
PID-7, PID-8; the birthplace (PID-11 of type BDL, component 9); PID-32. Escapes resolved.
"""

from typing import Any, NamedTuple

import hl7kit
import medforge
from hl7apy.parser import parse_message

import hl7
from insigne.hl7 import Message, Segment


class Fields(NamedTuple):
    """What is extracted."""

    event: tuple[str, str, str]
    control_id: str
    identifiers: tuple[tuple[str, str, str, str], ...]
    names: tuple[tuple[str, str, str, str], ...]
    birth_date: str
    sex: str
    birth_place: str
    reliability: tuple[str, ...]


def _part(repetition: list[tuple[str, ...]], component: int, subcomponent: int = 1) -> str:
    try:
        return repetition[component - 1][subcomponent - 1]
    except IndexError:
        return ""


def _birth_place(pid: Segment) -> str:
    for address in pid.components(11):
        if len(address) > 8 and address[6] == "BDL":
            return pid.delimiters.unescape(address[8])
    return ""


def ours(raw: bytes) -> Fields:
    """The public interface of `insigne.hl7`, as the product itself uses it."""
    message = Message.parse(raw)
    pid = message.segment("PID")
    assert pid is not None
    part = _part
    return Fields(
        (message.message_code, message.trigger, message.structure),
        message.control_id,
        tuple([(part(r, 1), part(r, 4), part(r, 4, 2), part(r, 5)) for r in pid.decoded(3)]),
        tuple([(part(r, 1), part(r, 2), part(r, 3), part(r, 7)) for r in pid.decoded(5)]),
        pid.value(7),
        pid.value(8),
        _birth_place(pid),
        tuple([pid.delimiters.unescape(r[0]) for r in pid.components(32)]),
    )


_CODECS = {b"UNICODE UTF-8": "utf-8", b"8859/1": "latin-1", b"8859/15": "iso8859-15"}


def text_of(raw: bytes) -> str:
    """What a caller of a peer that reads text has to do first: find MSH-18 and decode by it."""
    return raw.decode(_CODECS[raw[: raw.index(b"\r")].split(b"|")[17]])


def hand_written(raw: bytes) -> Fields:
    """The practical limit of Python: knows these fields, the usual delimiters, and nothing else."""
    lines = text_of(raw).split("\r")
    msh = lines[0].split("|")
    pid = next(line for line in lines if line.startswith("PID|")).split("|")
    code, trigger, structure = msh[8].split("^")

    def said(text: str) -> str:
        if "\\" not in text:
            return text
        for mark, meaning in (("\\F\\", "|"), ("\\S\\", "^"), ("\\T\\", "&"), ("\\R\\", "~"), ("\\E\\", "\\")):
            text = text.replace(mark, meaning)
        return text

    identifiers = []
    for repetition in pid[3].split("~"):
        parts = repetition.split("^")
        authority = parts[3].split("&")
        identifiers.append((said(parts[0]), authority[0], authority[1], parts[4]))
    names = []
    for repetition in pid[5].split("~"):
        parts = repetition.split("^")
        names.append((said(parts[0]), said(parts[1]), said(parts[2]), parts[6]))
    place = ""
    for repetition in pid[11].split("~"):
        parts = repetition.split("^")
        if parts[6] == "BDL":
            place = parts[8] if len(parts) > 8 else ""
            break
    reliability = tuple(pid[32].split("~")) if len(pid) > 32 and pid[32] else ()
    return Fields(
        (code, trigger, structure), msh[9], tuple(identifiers), tuple(names), pid[7], pid[8], place, reliability
    )


def python_hl7(raw: bytes) -> Fields:
    """python-hl7; unescaping is the caller's."""
    message = hl7.parse(text_of(raw))
    pid = message.segment("PID")
    unescape = message.unescape

    def part(repetition: Any, component: int, subcomponent: int = 1) -> str:
        try:
            found = repetition[component - 1]
        except IndexError:
            return ""
        if not isinstance(found, str):
            found = found[subcomponent - 1] if subcomponent <= len(found) else ""
        elif subcomponent > 1:
            found = ""
        return str(unescape(found))

    def repetitions(number: int) -> list[Any]:
        try:
            field = pid[number]
        except IndexError:
            return []
        return [] if str(field) == "" else [r if isinstance(r, hl7.Repetition) else [r] for r in field]

    event = message.segment("MSH")[9][0]
    return Fields(
        (str(event[0]), str(event[1]), str(event[2])),
        str(message.segment("MSH")[10]),
        tuple((part(r, 1), part(r, 4), part(r, 4, 2), part(r, 5)) for r in repetitions(3)),
        tuple((part(r, 1), part(r, 2), part(r, 3), part(r, 7)) for r in repetitions(5)),
        str(pid[7]),
        str(pid[8]),
        next((part(r, 9) for r in repetitions(11) if part(r, 7) == "BDL"), ""),
        tuple(part(r, 1) for r in repetitions(32)),
    )


def _paths(field: str, *parts: str) -> list[tuple[str, ...]]:
    return [tuple(f"{field}[{number}].{part}" for part in parts) for number in range(1, 10)]


_KIT_IDENTIFIERS = _paths("PID-3", "1", "4.1", "4.2", "5")
_KIT_NAMES = _paths("PID-5", "1", "2", "3", "7")
_KIT_PLACES = _paths("PID-11", "7", "9")
_KIT_RELIABILITY = _paths("PID-32", "1")


def read_hl7kit(raw: bytes) -> Fields:
    """hl7kit (Rust): one call a path, written beforehand; the first component tells whether a repetition is there."""
    get = hl7kit.parse(text_of(raw)).get

    def each(paths: list[tuple[str, ...]]) -> tuple[Any, ...]:
        found = []
        for path, *others in paths:
            first = get(path)
            if first is None:
                break
            found.append((first, *[get(other) or "" for other in others]))
        return tuple(found)

    def birth_place() -> str:
        for kind, place in _KIT_PLACES:
            if get(kind) == "BDL":
                return get(place) or ""
        return ""

    return Fields(
        (get("MSH-9.1") or "", get("MSH-9.2") or "", get("MSH-9.3") or ""),
        get("MSH-10") or "",
        each(_KIT_IDENTIFIERS),
        each(_KIT_NAMES),
        get("PID-7") or "",
        get("PID-8") or "",
        birth_place(),
        tuple([code for (code,) in each(_KIT_RELIABILITY)]),
    )


def read_medforge(raw: bytes) -> Fields:
    """medforge (Rust): a tree of objects; a field that does not repeat has no repetitions there."""
    message = medforge.parse(text_of(raw))
    msh, pid = message.segment("MSH"), message.segment("PID")

    def part(field: Any, component: int, subcomponent: int = 1) -> str:
        try:
            found = field.component(component)
            return str(found.sub_component(subcomponent))
        except (IndexError, KeyError, ValueError):
            return ""

    def repetitions(number: int) -> list[Any]:
        try:
            field = pid.field(number)
        except (IndexError, KeyError, ValueError):
            return []
        return (field.repetitions or [field]) if field.value else []

    event = msh.field(9)
    return Fields(
        (part(event, 1), part(event, 2), part(event, 3)),
        message.control_id,
        tuple((part(r, 1), part(r, 4), part(r, 4, 2), part(r, 5)) for r in repetitions(3)),
        tuple((part(r, 1), part(r, 2), part(r, 3), part(r, 7)) for r in repetitions(5)),
        pid.field(7).value,
        pid.field(8).value,
        next((part(r, 9) for r in repetitions(11) if part(r, 7) == "BDL"), ""),
        tuple(part(r, 1) for r in repetitions(32)),
    )


def read_hl7apy(raw: bytes) -> Fields:
    """hl7apy, tolerant; its values keep their escapes."""
    message = parse_message(text_of(raw))
    pid = next(child for child in message.children if child.name == "PID")

    def part(repetition: Any, component: int, subcomponent: int = 1) -> str:
        if repetition.datatype == "IS":  # a simple type: the value itself
            return str(repetition.to_er7())
        found = [child for child in repetition.children if str(child.name).endswith(f"_{component}")]
        if not found:
            return ""
        parts = found[0].to_er7().split("&")
        return str(parts[subcomponent - 1]) if subcomponent <= len(parts) else ""

    def repetitions(number: int) -> list[Any]:
        return [child for child in pid.children if child.name == f"PID_{number}" and child.to_er7()]

    event = message.msh.msh_9.to_er7().split("^")
    return Fields(
        (event[0], event[1], event[2]),
        message.msh.msh_10.to_er7(),
        tuple((part(r, 1), part(r, 4), part(r, 4, 2), part(r, 5)) for r in repetitions(3)),
        tuple((part(r, 1), part(r, 2), part(r, 3), part(r, 7)) for r in repetitions(5)),
        pid.pid_7.to_er7(),
        pid.pid_8.to_er7(),
        next((part(r, 9) for r in repetitions(11) if part(r, 7) == "BDL"), ""),
        tuple(part(r, 1) for r in repetitions(32)),
    )
