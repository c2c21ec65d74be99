"""Trigger, ORC-1 and OBX-11 say the same intent, or the message is refused (volet, « segment ORC »)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from insigne.dmp.intake.codes import IntakeRefused, malformed
from insigne.dmp.model import Intent
from insigne.hl7 import Location, Message, Segment


class Marks(NamedTuple):
    """How an intent is written: MDM trigger, ORC-1, OBX-11."""

    trigger: str
    order: str
    result: str


MARKS: Final[Mapping[Intent, Marks]] = MappingProxyType(
    {
        Intent.INITIAL: Marks("T02", "NW", "F"),
        Intent.REPLACE: Marks("T10", "RO", "C"),
        Intent.DELETE: Marks("T04", "CA", "D"),
    }
)
_BY_ORDER: Final = {marks.order: intent for intent, marks in MARKS.items()}
_RESULT: Final = "ORU"
EVENTS: Final = frozenset({("ORU", "R01"), *(("MDM", marks.trigger) for marks in MARKS.values())})


def intent_of(message: Message, documents: Sequence[Segment]) -> Intent:
    """The intent of a message, from its ORC and the OBX segments of its documents.

    Raises IntakeRefused: a value that is none of the table, or values that contradict each other.
    """
    orders = message.segments("ORC")
    if not orders:
        raise malformed("100", Location("ORC"), "the segment ORC is missing", "le segment ORC est absent")
    intent = _BY_ORDER.get(orders[0].value(1).strip().upper())
    if intent is None:
        allowed = ", ".join(_BY_ORDER)
        place = Location("ORC", field=1)
        raise malformed("103", place, f"ORC-1 is none of {allowed}", f"ORC-1 n’est pas parmi {allowed}")
    marks = MARKS[intent]
    for order in orders[1:]:
        if order.value(1).strip().upper() != marks.order:
            raise _contradiction(order.location(1), "two ORC segments say two intents", "les ORC se contredisent")
    if message.message_code != _RESULT and message.trigger != marks.trigger:
        raise _contradiction(
            Location("ORC", field=1),
            f"ORC-1 {marks.order} goes with the trigger {marks.trigger}",
            f"ORC-1 {marks.order} va avec l’évènement {marks.trigger}",
        )
    for obx in documents:
        if obx.value(11).strip().upper() != marks.result:
            raise _contradiction(
                obx.location(11),
                f"OBX-11 of the document is {marks.result} when ORC-1 is {marks.order}",
                f"OBX-11 du document vaut {marks.result} quand ORC-1 vaut {marks.order}",
            )
    return intent


def _contradiction(place: Location, text: str, text_fr: str) -> IntakeRefused:
    return malformed("103", place, text, text_fr)
