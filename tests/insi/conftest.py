"""A TLS server made of bare sockets that answers what it is told, and the certificates of both sides."""

import re
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import trustme

from insigne.insi.client import Caller, InsiClient
from insigne.insi.settings import InsiSettings
from insigne.net.settings import ClientTlsSettings

NOW = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
PATIENCE = 20


def http(body, status="200 OK", kind="application/soap+xml; charset=utf-8", more=""):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def soap(payload):
    return (
        '<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope">'
        f"<S:Body>{payload}</S:Body></S:Envelope>"
    ).encode()


def outcome(code, label, person=""):
    return soap(
        f'<RESULTAT xmlns="http://www.cnamts.fr/INSiResultat"><CR><CodeCR>{code}</CodeCR><LibelleCR>{label}</LibelleCR>'
        f"</CR>{person}</RESULTAT>"
    )


def person(name="BELLANGER", given="ISEULT MARIE", born="1984-05-07", number="2840537261118", key="32", place="37261"):
    return (
        f"<INDIVIDU><INSACTIF><IdIndividu><NumIdentifiant>{number}</NumIdentifiant><Cle>{key}</Cle></IdIndividu>"
        f"<OID>1.2.250.1.213.1.4.8</OID></INSACTIF><TIQ><NomNaissance>{name}</NomNaissance>"
        f"<ListePrenom>{given}</ListePrenom><Sexe>F</Sexe><DateNaissance>{born}</DateNaissance>"
        f"<LieuNaissance>{place}</LieuNaissance></TIQ></INDIVIDU>"
    )


def fault(code="insi_102", subcode="siram_40", role="Receiver", severity="fatal"):
    return soap(
        f"<S:Fault><S:Code><S:Value>S:{role}</S:Value><S:Subcode><S:Value>S:{subcode}</S:Value></S:Subcode></S:Code>"
        '<S:Reason><S:Text xml:lang="fr">Service indisponible, à rejouer plus tard</S:Text></S:Reason>'
        f'<S:Detail><siram:Erreur xmlns:siram="urn:siram" severite="{severity}" code="{code}">échec</siram:Erreur>'
        "</S:Detail></S:Fault>"
    )


ONE = http(outcome("00", "OK", person()))
NONE = http(outcome("01", "Aucune identite trouvee"))
SEVERAL = http(outcome("02", "Plusieurs identites trouvees"))
FAULT = http(fault(), "500 Internal Server Error")


class RawServer:
    """Answers request after request with the items of `answers`, the last one for ever.

    An item is the bytes to send, or a function of the socket; what it leaves open is read again.
    """

    def __init__(self, context, answers):
        self.answers = list(answers)
        self.requests = []
        self.names = []
        self.connections = 0
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/lps"
        self._threads = [threading.Thread(target=self._accept)]
        self._open = []
        self._threads[0].start()

    def close(self):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _accept(self):
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                self.connections += 1
                plain.settimeout(PATIENCE)
                thread = threading.Thread(target=self._serve, args=(plain,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain):
        with plain, suppress(OSError), self._context.wrap_socket(plain, server_side=True) as peer:
            self._open.append(peer)
            subject = peer.getpeercert() or {}
            self.names += [value for part in subject.get("subject", ()) for key, value in part if key == "commonName"]
            while request := _read_request(peer):
                self.requests.append(request)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if callable(answer):
                    answer(peer)
                else:
                    peer.sendall(answer)


def _read_request(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


class Site:
    """An authority, the certificate of a server and those of the establishment."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)
        self.context = self.server_context(self.authority.issue_cert("127.0.0.1", "localhost"))
        self.cert, self.key = self.client("INSI-MANU")

    def server_context(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self.authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name, unit="10B0000001", authority=None, **options):
        made = (authority or self.authority).issue_cert(
            "establishment.example", common_name=name, organization_unit_name=unit, **options
        )
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        return str(cert), str(key)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("insi"))


@pytest.fixture
def serve(site):
    """`serve(answer, …)` starts a server and returns it."""
    started = []

    def serving(*answers, context=None):
        started.append(RawServer(context or site.context, answers))
        return started[-1]

    yield serving
    for server in started:
        server.close()


@pytest.fixture
def call(site):
    """`call(server, **settings)` returns a client of it; the clock is the real one unless given."""
    made = []

    def calling(server, *, clock=lambda: datetime.now(UTC), tls=None, automatic=False, **settings):
        tls = tls or ClientTlsSettings(ca_file=site.ca, cert_file=site.cert, key_file=site.key)
        settings = InsiSettings(**{"endpoint": getattr(server, "url", server), "tls": tls} | settings)
        made.append(InsiClient(settings, instance="the-instance", clock=clock, automatic=automatic))
        return made[-1]

    yield calling
    for client in made:
        client.close()


@pytest.fixture(scope="session")
def wire():
    """Answers as the service writes them, and who calls; modules cannot import them from here."""

    class Wire:
        http, soap, outcome, person, fault = map(staticmethod, (http, soap, outcome, person, fault))
        one, none, several, technical = ONE, NONE, SEVERAL, FAULT
        caller = Caller("dupont", "admission")
        now = NOW

    return Wire
