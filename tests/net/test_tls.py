"""TLS contexts from files, certificates, and the demonstration authority."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from insigne.net.authority import ORGANISATION, DemoAuthority
from insigne.net.settings import ClientTlsSettings, TlsSettings
from insigne.net.tls import (
    TlsError,
    client_context,
    days_left,
    describe,
    expiry,
    load_key,
    normalise_fingerprint,
    peer_certificate,
    server_context,
)

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return DemoAuthority(tmp_path_factory.mktemp("authority"), NOW)


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue_server("registry", NOW, days=90)


@pytest.fixture(scope="module")
def client(authority):
    return authority.issue_client("gam.example", NOW)


def shake_hands(server_side, client_side, name="localhost"):
    """Run a handshake in memory and return both ends."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = server_side.wrap_bio(to_server, to_client, server_side=True)
    there = client_side.wrap_bio(to_client, to_server, server_hostname=name)
    waiting = {here, there}
    for _ in range(10):
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.discard(end)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    return here, there


def mutual(authority, server, **more):
    settings = TlsSettings(str(server.cert_file), str(server.key_file), client_ca_file=str(authority.ca_file), **more)
    return server_context(settings)


def context_of(authority, issued=None):
    own = {"cert_file": str(issued.cert_file), "key_file": str(issued.key_file)} if issued else {}
    return client_context(ClientTlsSettings(ca_file=str(authority.ca_file), **own))


def certificate_of(issued):
    return x509.load_pem_x509_certificate(issued.cert_file.read_bytes())


def test_both_sides_know_each_other(authority, server, client):
    here, there = shake_hands(mutual(authority, server), context_of(authority, client))
    assert peer_certificate(here) == describe(certificate_of(client))
    assert peer_certificate(here).name == "gam.example"
    assert peer_certificate(there).name == "registry"
    assert here.version() in {"TLSv1.2", "TLSv1.3"}


def test_a_server_without_client_authority_lets_anybody_in(authority, server):
    context = server_context(TlsSettings(str(server.cert_file), str(server.key_file)))
    here, _ = shake_hands(context, context_of(authority))
    assert peer_certificate(here) is None


def test_in_clear_there_is_no_certificate():
    assert peer_certificate(None) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_demonstration_server_answers_on_loopback_under_any_name(authority, server, client, host):
    shake_hands(mutual(authority, server), context_of(authority, client), name=host)


def test_a_revoked_certificate_is_refused(authority, server):
    lost = authority.issue_client("lost", NOW)
    crl = authority.revoke([lost], NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shake_hands(mutual(authority, server, crl_file=str(crl)), context_of(authority, lost))


def test_a_certificate_that_has_expired_is_refused(authority, server):
    old = authority.issue_client("old", NOW - timedelta(days=10), days=5)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(mutual(authority, server), context_of(authority, old))


def test_a_certificate_for_servers_does_not_serve_a_client(authority, server):
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        shake_hands(mutual(authority, server), context_of(authority, server))


def test_a_client_of_another_authority_is_refused(authority, server):
    there = context_of(authority)
    trustme.CA().issue_cert("gam.example").configure_cert(there)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(mutual(authority, server), there)


@pytest.mark.parametrize("suffix", [".p12", ".pfx"])
def test_a_pkcs12_file_replaces_certificate_and_key(authority, server, client, tmp_path, suffix):
    key = load_pem_private_key(client.key_file.read_bytes(), None)
    file, password = tmp_path / f"gam{suffix}", tmp_path / "password"
    encryption = BestAvailableEncryption(b"demonstration")
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"gam", key, certificate_of(client), None, encryption))
    password.write_text("demonstration\n")
    settings = ClientTlsSettings(str(authority.ca_file), str(file), key_password_file=str(password))
    here, _ = shake_hands(mutual(authority, server), client_context(settings))
    assert peer_certificate(here).name == "gam.example"
    assert expiry(str(file), str(password)) == expiry(str(client.cert_file))
    password.write_text("wrong")
    with pytest.raises(TlsError, match=f"gam{suffix}.*PKCS#12"):
        client_context(settings)


def test_an_encrypted_key_is_opened_with_its_password_file(authority, server, client, tmp_path):
    key = load_pem_private_key(client.key_file.read_bytes(), None)
    file, password = tmp_path / "gam.key", tmp_path / "password"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    password.write_text("secret\n")
    settings = ClientTlsSettings(str(authority.ca_file), str(client.cert_file), str(file), str(password))
    shake_hands(mutual(authority, server), client_context(settings))
    without = ClientTlsSettings(str(authority.ca_file), str(client.cert_file), str(file))
    with pytest.raises(TlsError, match="certificate with its key"):
        client_context(without)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cert_file": "missing.pem"}, "missing.pem.*No such file"),
        ({"key_file": "missing.key"}, "missing.key.*No such file"),
        ({"client_ca_file": "missing-ca.pem"}, "missing-ca.pem.*list of authorities"),
        ({"crl_file": "missing-crl.pem"}, "missing-crl.pem.*revocation list"),
        ({"key_password_file": "missing-password"}, "missing-password.*password"),
        ({"client_ca_file": "", "crl_file": "list.pem"}, "without client_ca_file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(authority, server, change, message):
    files = {
        "cert_file": str(server.cert_file),
        "key_file": str(server.key_file),
        "client_ca_file": str(authority.ca_file),
    }
    with pytest.raises(TlsError, match=message):
        server_context(TlsSettings(**(files | change)))


def test_a_key_without_its_certificate_is_refused(authority, client):
    with pytest.raises(TlsError, match="without cert_file"):
        client_context(ClientTlsSettings(str(authority.ca_file), key_file=str(client.key_file)))


def test_a_certificate_without_common_name_is_known_by_its_alternative_name():
    leaf = trustme.CA().issue_cert("lab.example")
    certificate = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    assert describe(certificate).name == "lab.example"


def test_a_fingerprint_is_read_in_any_usual_form():
    digest = bytes(range(32))
    assert normalise_fingerprint(digest.hex(":").upper()) == digest.hex()
    assert normalise_fingerprint(digest.hex(" ", 2)) == digest.hex()
    with pytest.raises(ValueError, match="32 bytes"):
        normalise_fingerprint("AB:CD")


def test_the_days_a_certificate_has_left_are_counted(server):
    file = str(server.cert_file)
    assert days_left(file, NOW) == 90
    assert days_left(file, NOW + timedelta(days=60, hours=1)) == 29
    assert days_left(file, NOW + timedelta(days=91)) < 0
    with pytest.raises(TlsError, match="missing"):
        expiry("missing.pem")


def test_demonstration_certificates_say_what_they_are_and_keys_are_private(authority, server, client):
    for issued in (server, client):
        subject = certificate_of(issued).subject
        (organisation,) = subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
        assert organisation.value == ORGANISATION
        assert issued.key_file.stat().st_mode & 0o777 == 0o600
    assert (authority.folder / "ca.key").stat().st_mode & 0o777 == 0o600


def test_an_authority_found_in_its_folder_is_used_again(authority, server):
    again = DemoAuthority(authority.folder, NOW + timedelta(days=1))
    later = again.issue_client("later", NOW)
    shake_hands(mutual(authority, server), context_of(again, later))


def test_a_key_to_sign_with_comes_with_its_certificate_and_those_above_it(authority, client, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(client.cert_file.read_bytes() + authority.ca_file.read_bytes() + client.key_file.read_bytes())
    key, certificates = load_key(str(both))
    assert describe(certificates[0]).name == "gam.example"
    assert len(certificates) >= 2
    assert key.public_key() == certificates[0].public_key()


def test_a_key_to_sign_with_is_found_in_a_pkcs12_file(client, tmp_path):
    key = load_pem_private_key(client.key_file.read_bytes(), None)
    path, password = tmp_path / "sign.p12", tmp_path / "password"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"", key, certificate_of(client), None, BestAvailableEncryption(b"s"))
    )
    password.write_text("s\n")
    assert load_key(str(path), "", str(password))[0].public_key() == key.public_key()


@pytest.mark.parametrize("case", ["another", "missing", "encrypted"])
def test_a_key_to_sign_with_that_cannot_be_used_is_named(client, server, tmp_path, case):
    key = tmp_path / "key.pem"
    if case == "another":
        key.write_bytes(server.key_file.read_bytes())
    elif case == "encrypted":
        plain = load_pem_private_key(client.key_file.read_bytes(), None)
        protected = plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"s"))
        key.write_bytes(protected)
    with pytest.raises(TlsError, match=r"key\.pem"):
        load_key(str(client.cert_file), str(key))
