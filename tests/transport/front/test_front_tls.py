"""Mutual TLS served by the front: who is let in, under which name; and connections that were here before it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from insigne.net.settings import TlsSettings
from insigne.net.tls import describe
from insigne.transport.settings import CertifiedSender


@pytest.fixture(scope="module")
def lab(authority):
    return authority.issue_client("lab.example", datetime.now(UTC))


def fingerprint(issued):
    return describe(x509.load_pem_x509_certificate(issued.cert_file.read_bytes())).fingerprint


async def is_refused(listening, options):
    """With TLS 1.3 a client learns that its certificate is refused when it first reads."""
    try:
        wire = await listening.connect(**options)
        await wire.post("REFUSED")
    except OSError:
        return True
    return await wire.is_closed()


def test_senders_are_known_there_by_their_certificates(run, serve, receiver, tls, client_tls, gam, lab, process):
    pretty = ":".join(f"{byte:02X}" for byte in bytes.fromhex(fingerprint(gam)))
    senders = (CertifiedSender("GAM", fingerprint=pretty), CertifiedSender("LAB", certificate_name="lab.example"))

    async def scenario():
        async with serve(tls=tls, senders=senders) as listening:
            _, second = await listening.begin(**client_tls(gam))
            third = await listening.connect(**client_tls(lab))
            assert await second.asked("A", "B")
            assert await third.asked("C")
            assert await is_refused(listening, {})
            assert await is_refused(listening, client_tls())
            await process.until(lambda: listening.server.seen.handshakes_failed == 2)
            await process.until(lambda: listening.server.seen.open == 3)

    run(scenario)
    assert list(receiver.read) == receiver.ids == ["A", "B", "C"]
    assert [(one.peer.name, one.peer.fingerprint, one.peer.certificate_name) for one in receiver.received] == [
        *[("GAM", fingerprint(gam), "gam.chu.example")] * 2,
        ("LAB", fingerprint(lab), "lab.example"),
    ]


def test_a_certified_sender_that_is_not_listed_is_closed_there(
    run, serve, receiver, tls, client_tls, gam, lab, process
):
    async def scenario():
        async with serve(tls=tls, senders=(CertifiedSender("LAB", certificate_name="lab.example"),)) as listening:
            await listening.begin(**client_tls(lab))
            assert await is_refused(listening, client_tls(gam))
            await process.until(lambda: listening.server.seen.refused == 1)
            await process.until(lambda: listening.server.seen.open == 2)
            assert listening.server.counters.refused == 0  # it was refused there

    run(scenario)
    assert receiver.received == []


def test_a_connection_over_tls_that_was_here_before_stays_and_is_answered(
    run_on_each, serve, receiver, tls, client_tls, gam
):
    async def scenario():
        async with serve(tls=tls) as listening:
            first, second = await listening.begin(**client_tls(gam))
            for number in range(3):
                assert await first.asked(f"HERE{number}")
                assert await second.asked(f"THERE{number}")

    run_on_each(scenario)
    assert list(receiver.read) == ["THERE0", "THERE1", "THERE2"]
    assert len(receiver.received) == 6


def test_a_handshake_that_does_not_end_is_cut_there_and_takes_a_place_meanwhile(
    run, serve, receiver, tls, client_tls, gam, process
):
    async def scenario():
        async with serve(tls=tls, handshake_seconds=1.0, max_connections=3) as listening:
            await listening.begin(**client_tls(gam))
            silent = await listening.connect()
            await process.until(lambda: listening.server.seen.open == 3)
            assert await (await listening.connect()).is_closed()
            assert listening.server.seen.refused == 1
            assert await silent.is_closed()
            await process.until(lambda: listening.server.seen.open == 2)
            await process.until(lambda: listening.server.seen.handshakes_failed == 1)

    run(scenario)


def test_certificates_that_the_front_cannot_read_leave_everybody_here(
    run, serve, receiver, tls, client_tls, gam, tmp_path
):
    """They were replaced by something else after this process read them."""
    copy = tmp_path / "registry.pem"
    copy.write_bytes(Path(tls.cert_file).read_bytes())
    given = TlsSettings(str(copy), tls.key_file, client_ca_file=tls.client_ca_file)

    async def scenario():
        async with serve(tls=given) as listening:
            copy.write_text("not a certificate")
            first = await listening.connect(**client_tls(gam))
            second = await listening.connect(**client_tls(gam))
            assert await first.asked("A")
            assert await second.asked("B")
            assert not listening.front.ready

    run(scenario)
    assert receiver.read == {}
