"""Verification as Insigne's own simulator speaks it: JSON over HTTPS. This is NOT the official contract.

The operations WS_INS3 to WS_INS5 have no public description. Every document says so in `contract`; the paths hang
under one base address:

- POST `/unit`: VerificationLine → UnitVerdict;
- POST `/batch`: BatchDeposit → BatchTicket (HTTP 202);
- GET `/batch/{ticket}`: BatchState, whose verdicts come once `state` is `done`; HTTP 404 for an unknown ticket.
"""

from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from insigne.insi.wire.model import WireError
from insigne.insi.wire.xml import MAX_BYTES

CONTRACT: Final = "insigne-simulation, not the official contract"
UNIT_PATH: Final = "/unit"
BATCH_PATH: Final = "/batch"

Verdict = Literal["OK", "KO"]
"""Whether an INS and its traits are those of one person. KO says neither which trait differs nor the right one."""


class VerificationLine(Struct, frozen=True):
    """An INS with the five strict traits to verify; `reference` is the caller's own, echoed in the verdict."""

    reference: str
    matricule: str
    oid: str
    birth_name: str
    given_names: str
    sex: str
    birth_date: str
    birth_place: str = ""
    contract: str = CONTRACT


class UnitVerdict(Struct, frozen=True):
    """The verdict of one line."""

    reference: str
    verdict: Verdict
    contract: str = CONTRACT


class BatchDeposit(Struct, frozen=True):
    """Lines to verify together."""

    lines: tuple[VerificationLine, ...]
    contract: str = CONTRACT


class BatchTicket(Struct, frozen=True):
    """What to ask the verdicts with."""

    ticket: str
    contract: str = CONTRACT


class BatchState(Struct, frozen=True):
    """How far a batch is."""

    state: Literal["pending", "done"]
    verdicts: tuple[UnitVerdict, ...] = ()
    contract: str = CONTRACT


Document = TypeVar("Document", VerificationLine, UnitVerdict, BatchDeposit, BatchTicket, BatchState)


def encode(document: Document) -> bytes:
    """Write a document of the verification."""
    return msgspec.json.encode(document)


def decode(data: bytes, kind: type[Document], max_bytes: int = MAX_BYTES) -> Document:
    """Read a document of the verification. Raises WireError when it is too large or is not one of that kind."""
    if len(data) > max_bytes:
        raise WireError(f"{kind.__name__} of {len(data)} bytes: at most {max_bytes} are read")
    try:
        document = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WireError(f"not a {kind.__name__} in JSON") from None
    if document.contract != CONTRACT:
        raise WireError(f"{kind.__name__} of another contract: only {CONTRACT!r} is spoken")
    return document
