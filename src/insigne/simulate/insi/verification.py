"""Verification of INS, unit and batch, over JSON. NOT the official contract, which no public source describes.

Documents and paths are those of `insigne.insi.wire.verification`.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

from insigne.insi.wire import WireError
from insigne.insi.wire.verification import (
    BATCH_PATH,
    UNIT_PATH,
    BatchDeposit,
    BatchState,
    BatchTicket,
    UnitVerdict,
    VerificationLine,
    decode,
    encode,
)
from insigne.simulate.https import MAX_BODY, HttpReply, HttpRequest
from insigne.simulate.insi.formats import CLIENT_NAMES
from insigne.simulate.insi.national import NationalBase

_KEPT_BATCHES: Final = 100


@dataclass(frozen=True, slots=True)
class _Batch:
    """Verdicts to be given from `ready` on (seconds since the start)."""

    verdicts: tuple[UnitVerdict, ...]
    ready: float


class Verification:
    """Answers verifications. A batch takes `batch_seconds` before its verdicts can be collected."""

    def __init__(self, base: NationalBase, now: Callable[[], float], batch_seconds: float) -> None:
        self.batch_seconds = batch_seconds
        self._base = base
        self._now = now
        self._numbers = count(1)
        self._batches: OrderedDict[str, _Batch] = OrderedDict()

    def answer(self, http: HttpRequest, path: str) -> HttpReply:
        """Answer a request; `path` is below the base address."""
        if http.client not in CLIENT_NAMES:
            return HttpReply(403, b'{"error":"the common name of the certificate is not INSI-AUTO nor INSI-MANU"}')
        try:
            if (http.method, path) == ("POST", UNIT_PATH):
                return HttpReply(200, encode(self._verdict(decode(http.body, VerificationLine, MAX_BODY))))
            if (http.method, path) == ("POST", BATCH_PATH):
                return HttpReply(202, encode(self._deposit(decode(http.body, BatchDeposit, MAX_BODY))))
        except WireError as error:
            return HttpReply(400, b'{"error":"%s"}' % str(error).replace('"', "'").encode())
        if http.method == "GET" and path.startswith(f"{BATCH_PATH}/"):
            return self._collect(path.removeprefix(f"{BATCH_PATH}/"))
        return HttpReply(404, b'{"error":"POST /unit, POST /batch, GET /batch/{ticket}"}')

    def _deposit(self, deposit: BatchDeposit) -> BatchTicket:
        ticket = f"lot-{next(self._numbers):06d}"
        verdicts = tuple(self._verdict(line) for line in deposit.lines)
        self._batches[ticket] = _Batch(verdicts, self._now() + self.batch_seconds)
        if len(self._batches) > _KEPT_BATCHES:
            self._batches.popitem(last=False)
        return BatchTicket(ticket)

    def _collect(self, ticket: str) -> HttpReply:
        batch = self._batches.get(ticket)
        if batch is None:
            return HttpReply(404, b'{"error":"no such ticket, or too old"}')
        done = self._now() >= batch.ready
        return HttpReply(200, encode(BatchState("done", batch.verdicts) if done else BatchState("pending")))

    def _verdict(self, line: VerificationLine) -> UnitVerdict:
        """Say whether the number is the active one of a person with these traits, given names from the first on."""
        person = self._base.by_matricule(line.matricule)
        agrees = (
            person is not None
            and line.matricule in (person.ins.number, person.ins.matricule)
            and (line.oid, line.birth_name, line.sex) == (person.ins.oid, person.birth_name, person.sex)
            and line.birth_date == person.birth_date
            and line.birth_place in ("", person.birth_place)
            and person.called(tuple(line.given_names.split()))
        )
        return UnitVerdict(line.reference, "OK" if agrees else "KO")
