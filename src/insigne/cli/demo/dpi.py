"""The DPI of the demonstration: what it sends by MLLP and by HTTP, and what anybody may see of the simulated DMP."""

import asyncio
import base64
import io
import json
import ssl
import urllib.request
from typing import Any, Final
from urllib.parse import quote

import msgspec

from insigne.cli.demo.play import Answers, play_mllp
from insigne.cli.demo.service import Service
from insigne.cli.demo.stage import Stage
from insigne.cli.demo.verdict import Expectation
from insigne.documents.banner import banner_of
from insigne.documents.cda.build import write_cda
from insigne.documents.settings import DocumentSettings
from insigne.documents.stamp import StampOptions, stamp
from insigne.ins.cog import bundled_cog
from insigne.registry.state import Identity
from insigne.simulate.hospital import GeneratedMessage
from insigne.simulate.letters import FACILITY, Letter, description, message, pages
from insigne.simulate.segments import PV1_NONE, ins_identifier, ipp
from insigne.simulate.truth import Ins, Person

_ENVIRONMENT: Final = "production"
_SECONDS: Final = 30.0
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxy the environment may name: it knows nothing of our loopback."""


class Dpi:
    """Sends what it is told to, waits for each answer, and counts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._answers = Answers()
        self._sent = 0
        self._refused: list[str] = []
        self.stamped = 0

    @property
    def answered(self) -> Expectation:
        """Whether every answer was the one expected."""
        found = Expectation("every document was taken, whatever the state of its patient and of the DMP", self._sent)
        found.failures += [*self._answers.surprises, *self._refused]
        return found

    def send(self, letter: Letter, identity: Identity) -> None:
        """By MLLP: the page with its banner, in a CDA, in a message."""
        page, cda = io.BytesIO(self._stamped(letter, identity)), io.BytesIO()
        write_cda(page, cda, identity, description(letter), _ENVIRONMENT, bundled_cog())
        self._play(f"DOC{letter.number}", message(letter, cda.getvalue(), identity), letter.model.title)

    def post(self, letter: Letter, identity: Identity) -> None:
        """By HTTP: the page with what is said of it; the server makes the CDA."""
        self._sent += 1
        local = identity.identifiers[0].identifier
        metadata = msgspec.to_builtins(description(letter)) | {"identity": f"{local.authority.namespace}|{local.value}"}
        request = urllib.request.Request(
            f"http://{self._stage.http}/api/v1/documents",
            data=self._stamped(letter, identity),
            headers={
                "Authorization": f"Bearer {self._stage.token}",
                "Content-Type": "application/pdf",
                "Document-Metadata": base64.b64encode(msgspec.json.encode(metadata)).decode(),
            },
        )
        try:
            _DIRECT.open(request, timeout=_SECONDS).close()
        except OSError as error:  # HTTPError is one
            self._refused.append(f"{letter.unique_id}: {error}")

    def admit(self, number: str, person: Person) -> None:
        """Have the GAM say that someone is known, and qualified."""
        self._gam("A28", "ADT_A05", number, person, PV1_NONE)

    def merge(self, number: str, person: Person, absorbed: str) -> None:
        """Have the GAM say that another number is the same person."""
        self._gam("A40", "ADT_A39", number, person, f"MRG|{ipp(absorbed)}")

    def listed(self, dmp: Service, patient: str) -> Any:
        """What the DMP shows of a patient; "" for who has documents."""
        url = dmp.ready["patients"] + (f"/{quote(patient, safe='')}" if patient else "")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {dmp.ready['token']}"})  # noqa: S310 - loopback
        context = ssl.create_default_context(cafile=dmp.ready["ca"])
        secured = urllib.request.HTTPSHandler(context=context)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), secured)
        with opener.open(request, timeout=_SECONDS) as answer:
            return json.load(answer)

    def _stamped(self, letter: Letter, identity: Identity) -> bytes:
        out = io.BytesIO()
        banner = banner_of(identity, _ENVIRONMENT, bundled_cog())
        stamp(io.BytesIO(pages(letter)), out, banner, StampOptions.of(DocumentSettings()))
        self.stamped += 1
        return out.getvalue()

    def _gam(self, event: str, structure: str, number: str, person: Person, tail: str) -> None:
        """A message of the GAM in PAM-FR 2.11 about someone who is qualified."""
        traits, national = person.traits, person.national
        if national is None:
            raise LookupError("this person of the demonstration has no INS")
        given = traits.given_names
        born = traits.birth_date.replace("-", "")
        ids = f"{ipp(number)}~{ins_identifier(Ins(national.oid, national.matricule))}"
        names = f"{traits.birth_name}^{given[0]}^{' '.join(given)}^^^^L"
        raw = (
            f"MSH|^~\\&|GAM|{FACILITY}|INSIGNE|{FACILITY}|20260301083000+0100||ADT^{event}^{structure}|{event}{number}|P"
            f"|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\rEVN||20260301083000+0100\r"
            f"PID|1||{ids}||{names}||{born}|{traits.sex}|||^^^^^^BDL^^{traits.birth_place}{'|' * 21}VALI\r{tail}\r"
            "ZFD||||N|INSI|20260301|CN\r"
        )
        self._play(f"{event}{number}", raw.encode(), "the played GAM")

    def _play(self, control_id: str, raw: bytes, why: str) -> None:
        self._sent += 1
        one = GeneratedMessage(control_id, "", raw, "AA", why)
        asyncio.run(play_mllp(self._stage, [one], self._answers, lambda _: None))
