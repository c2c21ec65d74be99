"""A document, the certificates of an organisation, a server that answers what it is told, and a verifier: xmlsec."""

import io
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from insigne.dmp.client import DmpClient
from insigne.dmp.settings_wire import CallerSettings, ServiceSettings, SoftwareSettings
from insigne.dmp.wire.model import Ins
from insigne.dmp.wire.sign import SigningKey
from insigne.documents.cda.build import write_cda
from insigne.ins.cog import bundled_cog
from insigne.net.settings import ClientTlsSettings
from insigne.registry.state import HeldIdentifier, HeldIns, Identity
from insigne.registry.values import Authority, Details, Identifier, Traits

from ...discharge_letter import described, kept

NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
INS = Ins("279035121518989", "1.2.250.1.213.1.4.10")
DOCUMENT_ID = "1.2.250.1.999.1.7.42"
ENTRY = "urn:uuid:1f6d3c1e-52a7-4a77-9f5e-0d4c5f0f8a11"
SYSTEM = "1.2.250.1.999.1.5"
HOSPITAL = Authority("CHEX", "1.2.250.1.999.1", "ISO")


def identity():
    return Identity(
        id="01JPAT00000000000000000000",
        domain=HOSPITAL.key,
        version=3,
        created="2026-01-05T09:00:00Z",
        updated="2026-01-05T09:00:00Z",
        traits=Traits(
            birth_name="PAT-TROIS",
            first_given_name="DOMINIQUE",
            given_names="DOMINIQUE MARIE-LOUISE",
            birth_date="19790328",
            sex="F",
            birth_place="51215",
        ),
        details=Details(),
        identifiers=(HeldIdentifier(Identifier("PI", HOSPITAL, "1234567"), since="2026-01-05"),),
        ins=HeldIns(INS, since="2026-01-05"),
        checked=True,
    )


def cda(pdf=b"%PDF-1.4\n" + bytes(range(256)) * 64, **changes):
    """A CDA of the ANS test patient with a PDF inside, as `documents` builds it."""
    target = io.BytesIO()
    write_cda(io.BytesIO(pdf), target, identity(), described(DOCUMENT_ID, **changes), "test", bundled_cog())
    return target.getvalue()


def document(**changes):
    """The document as intake keeps it: its sender is its author."""
    return kept(**{"unique_id": DOCUMENT_ID, "set_id": DOCUMENT_ID, **changes})


def uuids():
    """UUIDs one after the other, the same in every run."""
    count = iter(range(1, 10_000))
    return lambda: f"00000000-0000-4000-8000-{next(count):012d}"


class Certificates:
    """An authority; the certificates of a server and of an organisation, and the files of each."""

    def __init__(self, folder):
        self.ca = trustme.CA(key_type=trustme.KeyType.RSA)
        self.other_ca = trustme.CA(key_type=trustme.KeyType.RSA)
        self.ca_file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        self.server = self.ca.issue_cert("127.0.0.1", key_type=trustme.KeyType.RSA)
        self.auth = self._issue(folder, "auth")
        self.sign = self._issue(folder, "sign")

    def _issue(self, folder, name):
        issued = self.ca.issue_cert(
            f"{name}.ch-exemple.test",
            common_name=f"CH EXEMPLE, {name}",
            organization_name="CH EXEMPLE",
            organization_unit_name="1750000001",
            key_type=trustme.KeyType.RSA,
        )
        cert, key = folder / f"{name}.pem", folder / f"{name}.key"
        cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return cert, key

    def signing_key(self):
        cert, key = self.sign
        return SigningKey(
            load_pem_private_key(key.read_bytes(), None), tuple(x509.load_pem_x509_certificates(cert.read_bytes()))
        )

    def settings(self, url, **changes):
        cert, key = self.auth
        given = {
            "endpoint": url,
            "tls": ClientTlsSettings(ca_file=str(self.ca_file), cert_file=str(cert), key_file=str(key)),
            "sign_cert_file": str(self.sign[0]),
            "sign_key_file": str(self.sign[1]),
            "software": SoftwareSettings(oid=SYSTEM, homologation="TEST-1", version="1.2"),
            "caller": CallerSettings(
                structure="1750000001",
                structure_name="CH Exemple",
                person="810099999999",
                family="RESPONSABLE",
                given="Paule",
            ),
            "total_seconds": 20,
        }
        return ServiceSettings(**{**given, **changes})


@pytest.fixture(scope="session")
def made():
    """What tests of the wire are about: a moment, a patient, a document, its CDA."""
    return SimpleNamespace(
        now=NOW, ins=INS, id=DOCUMENT_ID, entry=ENTRY, system=SYSTEM, cda=cda, document=document, uuids=uuids
    )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def key(certificates):
    return certificates.signing_key()


class Server:
    """A TLS server that asks for a certificate; `answer` gives (status, content type, body) for a request."""

    def __init__(self, certificates):
        self.requests = []
        self.answer = lambda path, headers, body: (500, "text/plain", b"nothing to say")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers.items()), body))
                status, kind, answer = outer.answer(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificates.server.configure_cert(context)
        certificates.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/services"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(certificates):
    running = Server(certificates)
    yield running
    running.close()


@pytest.fixture
def calls():
    """The traces of the calls made."""
    return []


@pytest.fixture
def client(server, certificates, calls):
    made = DmpClient(certificates.settings(server.url), lambda: NOW, uuids(), calls.append)
    yield made
    made.close()


_VERIFY = """
import io
import sys
from lxml import etree
import xmlsec
path, certificate, *ids = sys.argv[1:]


def read(stream, buffer):
    piece = stream.read(len(buffer))
    buffer[: len(piece)] = piece
    return len(piece)


# The references of a Manifest are not part of what is verified, but xmlsec opens them all the same.
xmlsec.register_default_callbacks()
xmlsec.register_callbacks(
    lambda uri: uri.startswith(b"urn:oid:"), lambda uri: io.BytesIO(b"<x/>"), read, lambda stream: None
)
tree = etree.parse(path)
for name in ids:
    xmlsec.tree.add_ids(tree.getroot(), [name])
signature = xmlsec.tree.find_node(tree, xmlsec.constants.NodeSignature)
context = xmlsec.SignatureContext()
context.key = xmlsec.Key.from_file(certificate, xmlsec.constants.KeyDataFormatCertPem)
try:
    context.verify(signature)
except xmlsec.Error as error:
    sys.exit(f"refused: {error}")
"""


@pytest.fixture(scope="session")
def xmlsec_says(certificates, tmp_path_factory):
    """Verify the first signature of a document with xmlsec, in a process of its own; "" when it is right."""
    folder = tmp_path_factory.mktemp("xmlsec")

    def verify(document, *ids):
        path = folder / "signed.xml"
        path.write_bytes(document)
        done = subprocess.run(
            [sys.executable, "-c", _VERIFY, path, certificates.sign[0], *ids],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return "" if done.returncode == 0 else done.stderr.strip()

    return verify
