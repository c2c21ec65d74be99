"""Mutual TLS: who is let in, under which name, and what becomes of the others."""

import asyncio
import ssl
from datetime import UTC, datetime

import pytest
import trustme
from cryptography import x509
from structlog.testing import capture_logs

from insigne.exchange.model import Peer
from insigne.net.settings import TlsSettings
from insigne.net.tls import TlsError, describe
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import CertifiedSender, MllpSettings


def fingerprint(issued):
    return describe(x509.load_pem_x509_certificate(issued.cert_file.read_bytes())).fingerprint


def test_a_certified_sender_is_answered_and_known_by_its_certificate(run, serve, receiver, tls, client_tls, gam):
    async def scenario():
        async with serve(tls=tls) as (_, connect):
            wire = await connect(**client_tls(gam))
            await wire.post("A", "B")
            assert await wire.answers(2) == ["AA A", "AA B"]

    run(scenario)
    peer = receiver.received[0].peer
    assert peer.name == peer.certificate_name == "gam.chu.example"
    assert peer.fingerprint == fingerprint(gam)


async def is_refused(connect, options):
    """With TLS 1.3 a client learns that its certificate is refused when it first reads."""
    try:
        wire = await connect(**options)
        await wire.post("A")
    except OSError:
        return True
    return await wire.is_closed()


def test_a_sender_without_certificate_is_refused(run, serve, receiver, tls, client_tls, helpers):
    async def scenario():
        async with serve(tls=tls) as (server, connect):
            assert await is_refused(connect, client_tls())
            await helpers.until(lambda: server.counters.handshakes_failed == 1)
            assert server.counters.open == 0

    with capture_logs() as logs:
        run(scenario)
    assert receiver.received == []
    assert [line["event"] for line in logs] == ["mllp.handshake-failed"]


def test_a_sender_certified_by_another_authority_is_refused(run, serve, receiver, tls, client_tls, helpers):
    foreign = trustme.CA().issue_cert("gam.chu.example")

    async def scenario():
        async with serve(tls=tls) as (server, connect):
            options = client_tls()
            foreign.configure_cert(options["ssl"])
            assert await is_refused(connect, options)
            await helpers.until(lambda: server.counters.handshakes_failed == 1)

    run(scenario)
    assert receiver.received == []


def test_a_revoked_certificate_is_refused_once_the_list_is_read_again(
    run, serve, receiver, authority, tls, client_tls, helpers
):
    now = datetime.now(UTC)
    lost = authority.issue_client("lost-laptop", now)
    crl_file = str(authority.revoke([], now))
    settings = TlsSettings(tls.cert_file, tls.key_file, client_ca_file=tls.client_ca_file, crl_file=crl_file)

    async def scenario():
        async with serve(tls=settings) as (server, connect):
            wire = await connect(**client_tls(lost))
            await wire.post("A")
            assert await wire.answers(1) == ["AA A"]
            authority.revoke([lost], now)
            server.reload_tls()
            assert await is_refused(connect, client_tls(lost))
            await helpers.until(lambda: server.counters.handshakes_failed == 1)
            await wire.post("B")
            assert await wire.answers(1) == ["AA B"]  # connections made before stand

    run(scenario)
    assert receiver.ids == ["A", "B"]


def test_a_listed_sender_has_its_configured_name(run, serve, receiver, authority, tls, client_tls, gam):
    now = datetime.now(UTC)
    lab = authority.issue_client("lab.example", now)
    pretty = ":".join(f"{byte:02X}" for byte in bytes.fromhex(fingerprint(gam)))
    senders = (CertifiedSender("GAM", fingerprint=pretty), CertifiedSender("LAB", certificate_name="lab.example"))

    async def scenario():
        async with serve(tls=tls, senders=senders) as (_, connect):
            for issued in (gam, lab):
                wire = await connect(**client_tls(issued))
                await wire.post("A")
                assert await wire.answers(1) == ["AA A"]

    run(scenario)
    assert [received.peer.name for received in receiver.received] == ["GAM", "LAB"]


def test_a_certified_sender_that_is_not_listed_is_closed_and_named_in_the_log(
    run, serve, receiver, authority, tls, client_tls, gam
):
    senders = (CertifiedSender("LAB", certificate_name="lab.example"),)

    async def scenario():
        async with serve(tls=tls, senders=senders) as (server, connect):
            assert await is_refused(connect, client_tls(gam))
            assert server.counters.refused == 1

    with capture_logs() as logs:
        run(scenario)
    assert receiver.received == []
    (line,) = logs
    assert (line["event"], line["name"]) == ("mllp.unknown-certificate", "gam.chu.example")
    assert line["fingerprint"] == fingerprint(gam)


def test_a_sender_in_clear_is_refused(run, serve, receiver, tls, helpers):
    async def scenario():
        async with serve(tls=tls) as (server, connect):
            wire = await connect()
            await wire.post("A")
            await wire.is_closed()
            await helpers.until(lambda: server.counters.open == 0)
            assert server.counters.handshakes_failed == 1

    run(scenario)
    assert receiver.received == []


def test_a_peer_that_does_not_finish_its_handshake_is_cut_and_takes_a_place_meanwhile(run, serve, tls, helpers):
    async def scenario():
        async with serve(tls=tls, handshake_seconds=0.1, max_connections=1) as (server, connect):
            silent = await connect()
            await helpers.until(lambda: server.counters.open == 1)
            assert await (await connect()).is_closed()
            assert server.counters.refused == 1
            assert await silent.is_closed()
            await helpers.until(lambda: server.counters.open == 0)
            assert server.counters.handshakes_failed == 1

    run(scenario)


def test_a_stop_ends_handshakes_and_answers_what_is_in_hand(run, serve, receiver, tls, client_tls, gam, helpers):
    async def scenario():
        async with serve(tls=tls) as (server, connect):
            receiver.holding = True
            wire = await connect(**client_tls(gam))
            await wire.post("A")
            silent = await connect()
            await helpers.until(lambda: receiver.held and server.counters.open == 2)
            stopping = asyncio.ensure_future(server.stop())
            assert await silent.is_closed()
            receiver.release()
            assert await wire.answers(1) == ["AA A"]
            assert await wire.is_closed()
            await wire.close()
            await stopping

    run(scenario)


def test_old_versions_of_tls_are_refused(run, serve, tls, client_tls, gam):
    async def scenario():
        async with serve(tls=tls) as (_, connect):
            options = client_tls(gam)
            with pytest.warns(DeprecationWarning, match="TLSv1_1"):
                options["ssl"].minimum_version = options["ssl"].maximum_version = ssl.TLSVersion.TLSv1_1
            assert await is_refused(connect, options)

    run(scenario)


@pytest.mark.parametrize(
    ("senders", "with_authority", "message"),
    [
        ([CertifiedSender("GAM", certificate_name="gam")], False, "client_ca_file"),
        ([CertifiedSender("GAM")], True, "either fingerprint or certificate_name"),
        ([CertifiedSender("GAM", fingerprint="AB:CD")], True, "'GAM': a SHA-256 fingerprint has 32 bytes"),
        ([CertifiedSender("GAM", fingerprint="hello")], True, "'GAM'"),
    ],
)
def test_a_list_of_senders_that_cannot_work_is_refused_at_the_start(receiver, tls, senders, with_authority, message):
    if not with_authority:
        tls = TlsSettings(tls.cert_file, tls.key_file)
    with pytest.raises(TlsError, match=message):
        MllpServer(MllpSettings(tls=tls, senders=tuple(senders)), receiver, clock=str)


def test_a_sender_known_by_its_certificate_may_send_larger_messages_than_others(tls, gam):
    granted = CertifiedSender("gam", certificate_name="gam.chu.example", max_frame_bytes=50_000_000)
    settings = MllpSettings(tls=tls, senders=(granted, CertifiedSender("lab", certificate_name="lab.chu.example")))
    server = MllpServer(settings, None, clock=lambda: "")
    assert server.frame_limit(Peer("gam", "mllp", "ab" * 32, "gam.chu.example")) == 50_000_000
    assert server.frame_limit(Peer("lab", "mllp", "cd" * 32, "lab.chu.example")) == settings.max_frame_bytes
    assert server.frame_limit(Peer("gam", "mllp")) == settings.max_frame_bytes  # a name proves nothing
