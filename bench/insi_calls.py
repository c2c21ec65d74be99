"""What a call costs the client that makes it, without queue or trace: ours, zeep's, and one written by hand.

All three call `bench.insi_responder` over one connection kept alive, and must read the same identity in its answer.
"""

import http.client
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin

from bench.insi_responder import ANSWER
from insigne.app.clock import utc_now
from insigne.insi.client import Caller, InsiClient
from insigne.insi.settings import InsiSettings
from insigne.insi.wire.model import CallContext, InsiFault, SearchTraits
from insigne.insi.wire.names import content_type
from insigne.insi.wire.request import build_search
from insigne.net.settings import ClientTlsSettings

WSDL = Path(__file__).parents[1] / "tests" / "simulate" / "insi" / "insi.wsdl"
OURS, ZEEP, LIMIT = "insigne", "zeep", "http.client, one request written once, lxml"
_BINDING = "{urn:insigne:test:insi}InsiBinding"
_TRAITS = SearchTraits("MONTREUIL", "ANSELME", "M", "1985-06-14")
_RESULT = "{http://www.cnamts.fr/INSiResultat}"

Read = tuple[str, str, str]
"""Matricule, birth name and list of given names, as a client found them in an answer."""
Call = Callable[[object], Read]


def expected() -> Read:
    """What the answer says."""
    if ANSWER.active is None or ANSWER.traits is None:
        raise ValueError("the canned answer holds no identity")
    return ANSWER.active.matricule, ANSWER.traits.birth_name, ANSWER.traits.given_names


@contextmanager
def subjects(ready: Mapping[str, Any]) -> Iterator[dict[str, Call]]:
    """The clients, each with its connection open as soon as it has called once."""
    tls = ClientTlsSettings(ca_file=ready["ca"], **_pair(ready, "cert_file", "key_file"))
    settings = InsiSettings(endpoint=ready["url"], tls=tls)
    client = InsiClient(settings, instance=str(uuid4()), clock=utc_now)
    with closing(client), requests.Session() as session, closing(_connection(ready)) as connection:
        yield {OURS: _ours(client), ZEEP: _zeep(session, ready), LIMIT: _by_hand(connection)}


def _ours(client: InsiClient) -> Call:
    caller = Caller("bench", "bench")

    def call(_: object) -> Read:
        result = client.search(_TRAITS, caller).result
        if isinstance(result, InsiFault) or result.active is None or result.traits is None:
            raise RuntimeError(f"insigne got no identity: {result.code}")
        return result.active.matricule, result.traits.birth_name, result.traits.given_names

    return call


def _zeep(session: requests.Session, ready: Mapping[str, Any]) -> Call:
    pair = _pair(ready, "cert", "key")
    session.trust_env, session.verify, session.cert = False, ready["ca"], (pair["cert"], pair["key"])
    client = zeep.Client(str(WSDL), transport=Transport(session=session), plugins=[WsAddressingPlugin()])
    service = client.create_service(_BINDING, ready["url"])

    def call(_: object) -> Read:
        answer = service.byTraits(
            NomNaissance=_TRAITS.birth_name,
            Prenom=[_TRAITS.given_name],
            Sexe=_TRAITS.sex,
            DateNaissance=_TRAITS.birth_date,
            _soapheaders=_zeep_headers(),
        ).INDIVIDU
        number = answer.INSACTIF.IdIndividu
        return number.NumIdentifiant + number.Cle, answer.TIQ.NomNaissance, answer.TIQ.ListePrenom

    return call


def _zeep_headers() -> dict[str, Any]:
    """The two contexts, with as many fresh ids as ours have."""
    now = utc_now().isoformat(timespec="milliseconds")
    software = {
        "IDAM": {"_value_1": "INSIGNESIMU1", "R": "4"},
        "Version": "1.0",
        "Instance": "4c3f0c5e-0000-4000-8000-000000000003",
        "Nom": "urn:lps:zeep:1.0",
    }
    common = {"Temps": now, "Emetteur": "10B0000001"}
    return {
        "contexteLPS": {"Id": str(uuid4()), **common, "LPS": software, "Version": "01_00", "Nature": "CTXLPS"},
        "contexteBAM": {"Id": str(uuid4()), **common, "COUVERTURE": {}, "Version": "01_02", "Nature": "CTXBAM"},
    }


def _by_hand(connection: http.client.HTTPSConnection) -> Call:
    request = build_search(_TRAITS, CallContext(str(uuid4()), str(uuid4()), str(uuid4()), "2026-01-15T08:30:00Z"))
    headers = {"Content-Type": content_type("search")}

    def call(_: object) -> Read:
        connection.request("POST", "/lps", request, headers)
        root = etree.fromstring(connection.getresponse().read())
        number = next(root.iter(_RESULT + "INSACTIF"))[0]
        traits = next(root.iter(_RESULT + "TIQ"))
        names = [traits.findtext(_RESULT + name, "") for name in ("NomNaissance", "ListePrenom")]
        return f"{number[0].text}{number[1].text}", names[0], names[1]

    return call


def _connection(ready: Mapping[str, Any]) -> http.client.HTTPSConnection:
    address = urlsplit(ready["url"])
    tls = ssl.create_default_context(cafile=ready["ca"])
    pair = _pair(ready, "cert", "key")
    tls.load_cert_chain(pair["cert"], pair["key"])
    return http.client.HTTPSConnection(str(address.hostname), address.port, context=tls, timeout=20)


def _pair(ready: Mapping[str, Any], cert: str, key: str) -> dict[str, str]:
    client = ready["clients"]["INSI-MANU"]
    return {cert: client["cert"], key: client["key"]}
