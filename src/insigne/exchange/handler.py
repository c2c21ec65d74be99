"""What handles a message once it can be read: the port that ADT, and later ORU and MDM, plug into."""

from typing import Any, Protocol, runtime_checkable

import msgspec

from insigne.exchange.heading import Heading
from insigne.exchange.model import Received
from insigne.exchange.settings import SenderSettings
from insigne.hl7 import AckError, Message
from insigne.pam.findings import Finding
from insigne.registry.notices import Notice
from insigne.registry.ports import Key
from insigne.registry.workingset import WorkingSet


class Delivery(msgspec.Struct, frozen=True):
    """A message being handled: who sent it, when, under which id of the log, and what its sender is granted."""

    heading: Heading
    message_id: str
    received: Received
    sender: SenderSettings


class Outcome(msgspec.Struct):
    """What the handler decided:

    MSA-1, the errors of the answer, what to show beside the message, the identity touched. `reply` is the whole answer,
    where an acknowledgement is not enough.
    """

    code: str
    errors: tuple[AckError, ...] = ()
    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    subject: str = ""
    ignored: bool = False
    reply: bytes = b""


class Prepared(msgspec.Struct, frozen=True):
    """A message read as far as it can be without the registry.

    `holders` and `encounters` are the keys that deciding will look up first: those of a batch are read together.
    `content` is the handler's own.
    """

    holders: tuple[Key, ...] = ()
    encounters: tuple[Key, ...] = ()
    content: Any = None


@runtime_checkable
class Portable(Protocol):
    """A handler whose messages may be read by another process (`exchange.elsewhere`)."""

    def restore(self, written: bytes) -> Prepared:
        """What `Handler.prepare` would give, from what the other process wrote."""
        ...


class Handler(Protocol):
    """Handles the messages of one MSH-9.1, in two steps: what the message alone says, then what the registry does."""

    def prepare(self, delivery: Delivery, message: Message) -> Prepared | Outcome:
        """Read the message; the outcome at once when nothing is left to decide. May raise `Hl7Error`."""
        ...

    def handle(self, delivery: Delivery, prepared: Prepared, working: WorkingSet) -> Outcome:
        """Decide, writing changes in `working`; the caller drops it when the code is not AA.

        May raise `Hl7Error` (what the message lacks) and `Refused` (what the registry refuses).
        """
        ...
