"""A PFI and the DMP it feeds, each a process: its settings, its patients, and what a GAM and a DPI send of them."""

import base64
import io
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench import populate, server
from insigne.access import Scope
from insigne.access.tokens import RANDOM_BYTES, issue
from insigne.config import load, store_url
from insigne.documents.cda.build import write_cda
from insigne.ins.cog import bundled_cog
from insigne.ins.matricule import NIR_OID
from insigne.registry.state import HeldIdentifier, HeldIns, Identity
from insigne.registry.values import Details, Identifier, Ins, Traits
from insigne.simulate.hospital import HospitalSettings, truth
from insigne.simulate.hospital_plan import PATIENT_OID
from insigne.simulate.letters import FACILITY, GEOGRAPHIC_FINESS, Kind, Letter, description, message, pages
from insigne.simulate.truth import Person
from insigne.store import open_store, upgrade
from insigne.store.tokens import StoredTokens

WRITTEN = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
"""When every document of these patients was made."""
DMP_BASE = Path("dmp-simulator/dmp.sqlite")
"""What the simulated DMP holds, in its data folder."""
_TRUTH = "truth.jsonl"
_SECONDS = 60.0


class Step(NamedTuple):
    """Something sent: by MLLP, or posted by HTTP when it has metadata (the header Document-Metadata)."""

    control_id: str
    payload: bytes
    metadata: str = ""


class Patient(NamedTuple):
    """A person under a number of the hospital."""

    person: Person
    number: str

    @property
    def ins(self) -> str:
        """OID|MATRICULE."""
        national = self._national
        return f"{national.oid}|{national.matricule}"

    @property
    def _national(self) -> Ins:
        if self.person.national is None:
            raise ValueError("these patients are known to the nation")
        return Ins(self.person.national.matricule, self.person.national.oid)

    @property
    def identity(self) -> Identity:
        """As the DPI knows them once they are qualified."""
        traits = self.person.traits
        names = traits.given_names
        born = traits.birth_date.replace("-", "")
        return Identity(
            id=f"{int(self.number):026d}",
            domain=populate.SITE.key,
            version=1,
            created="2026-01-01T00:00:00Z",
            updated="2026-01-01T00:00:00Z",
            traits=Traits(traits.birth_name, names[0], " ".join(names), born, traits.sex, traits.birth_place),
            details=Details(),
            identifiers=(HeldIdentifier(Identifier("PI", populate.SITE, self.number), since=""),),
            ins=HeldIns(self._national, since=""),
            checked=True,
        )

    def known(self, event: str = "A28", *, qualified: bool) -> Step:
        """What the GAM sends: they are known, or are qualified now (A31)."""
        control_id = f"{event}{self.number}"
        return Step(
            control_id, populate.message_about(self.person, self.number, event, control_id, qualified=qualified)
        )

    def absorbs(self, other: "Patient") -> Step:
        """What the GAM sends: the number of the other is this person's too."""
        control_id = f"A40{self.number}"
        raw = populate.message_about(self.person, self.number, "A40", control_id, qualified=True, absorbed=other.number)
        return Step(control_id, raw)

    def cda(self, letter: Letter, page: bytes = b"") -> bytes:
        """A document as a CDA; `page` is its PDF when it is not that of its kind."""
        out = io.BytesIO()
        pdf = io.BytesIO(page or pages(letter))
        write_cda(pdf, out, self.identity, description(letter), "production", bundled_cog())
        return out.getvalue()

    def sent(self, letter: Letter) -> Step:
        """What the DPI sends by MLLP: a CDA in a message."""
        return Step(f"DOC{letter.number:08d}", message(letter, self.cda(letter), self.identity))

    def posted(self, letter: Letter) -> Step:
        """What the DPI posts: a PDF and its description; the server makes the CDA once they are qualified."""
        told = msgspec.to_builtins(description(letter)) | {"identity": f"{FACILITY}|{self.number}"}
        metadata = base64.b64encode(msgspec.json.encode(told)).decode()
        return Step(letter.unique_id, pages(letter), metadata)


def people(size: int, seed: int = 47) -> list[Person]:
    """People whose INS is a NIR, always the same ones."""
    everyone = truth(HospitalSettings(patients=0, people=2 * size + 10, seed=seed))
    found = (one for one in everyone if one.national is not None and one.national.oid == NIR_OID)
    return list(islice(found, size))


def letter(number: int, kind: Kind = "letter", replaces: int = 0) -> Letter:
    """One version of a document."""
    return Letter(number, kind, WRITTEN, replaces or number, replaces)


def dmp(folder: Path, people: Sequence[Person], port: int = 0) -> server.Server:
    """`insigne dmp simulator` on that port (0: any free one), with these people beside its test people."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _TRUTH
    if not file.exists():
        file.write_bytes(b"".join(msgspec.json.encode(person) + b"\n" for person in people))
    return server.dmp_simulator(folder, "--people", str(file), "--port", str(port))


def settings(ready: Mapping[str, Any], **others: object) -> list[str]:
    """What `--set` says to feed that DMP, and to wait for nothing longer than a bench can."""
    caller, signer = (ready["clients"][name] for name in ("ORG_AUTH_CLI", "ORG_SIGN"))
    keys = {
        "without_consent": "feed",
        "queue.retry.first_seconds": 0.1,
        "queue.retry.limit_seconds": 0.5,
        "queue.breaker.probe_seconds": 0.1,
        "queue.breaker.probe_limit_seconds": 0.5,
        "service.endpoint": ready["url"],
        "service.sign_cert_file": signer["cert"],
        "service.sign_key_file": signer["key"],
        "service.tls.ca_file": ready["ca"],
        "service.tls.cert_file": caller["cert"],
        "service.tls.key_file": caller["key"],
        "service.software.oid": f"{PATIENT_OID}.70",
        "service.caller.structure": f"1{GEOGRAPHIC_FINESS}",
        "service.caller.structure_name": FACILITY,
        "service.caller.person": f"1{GEOGRAPHIC_FINESS}/AUTOMATE",
        "service.caller.family": "AUTOMATE",
    } | others
    return ['roles=["ri","consumer","pfi"]', "environment=production", *(f"dmp.{k}={v}" for k, v in keys.items())]


def with_token(data: Path, given: Sequence[str]) -> str:
    """Make the base of a data folder if there is none, and a token that posts documents."""
    data.mkdir(parents=True, exist_ok=True)
    url = store_url(load(None, given, {}, data))
    upgrade(url)
    text, token = issue("bench", [Scope.DOCUMENT_WRITE], random_bytes=os.urandom(RANDOM_BYTES), now=datetime.now(UTC))
    store = open_store(url)
    try:
        StoredTokens(store, "bench").add(token)
    finally:
        store.close()
    return text


def post(address: str, token: str, step: Step) -> int:
    """Post a document; the status answered. Raises OSError, HTTPException."""
    connection = HTTPConnection(address, timeout=_SECONDS)
    try:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/pdf",
            "Document-Metadata": step.metadata,
        }
        connection.request("POST", "/api/v1/documents", step.payload, headers)
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status
    finally:
        connection.close()
