"""The client against our own server, and against peers that answer late, wrongly or not at all."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from insigne.hl7 import frame
from insigne.net.settings import ClientTlsSettings, TlsSettings
from insigne.net.tls import RenewedContext, client_context
from insigne.transport.mllp_client import MllpClient, NoAnswer, Unreachable


@pytest.fixture
def scripted(helpers):
    """`async with scripted(*steps) as (client, reports, visits)`: a peer that follows a script, and a client of it.

    A step is what to do with one message: a function of its raw bytes that gives the bytes to write, or "close", or
    "silence". Each connection goes on with the script where the one before left it.
    """

    @asynccontextmanager
    async def playing(*steps, **options):
        script, visits, reports = list(steps), [], []

        async def serve(reader, writer):
            visits.append(0)
            try:
                while script:
                    raw = (await reader.readuntil(b"\x1c\r"))[1:-2]
                    visits[-1] += 1
                    step = script.pop(0)
                    if step == "close":
                        return
                    if step != "silence":
                        writer.write(step(raw))
                await reader.read()
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = MllpClient(*server.sockets[0].getsockname(), report=reports.append, **options)
        try:
            yield client, reports, visits
        finally:
            await client.close()
            server.close()

    return playing


@pytest.fixture
def ack(helpers):
    """Make a step that answers with a code, under the control id of the message or another."""

    def make(code="AA", control_id=None):
        def step(raw):
            asked = helpers.message(control_id) if control_id else raw
            return frame(helpers.answer_to(asked, code).payload)

        return step

    return make


def test_messages_are_answered_over_one_kept_connection(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (server, _):
            client = MllpClient(*server.address)
            for name in ("A", "B"):
                reply = await client.send(helpers.message(name))
                assert (reply.ack.code, reply.ack.control_id) == ("AA", name)
            await client.close()
            assert server.counters.connections == 1

    run(scenario)
    assert receiver.ids == ["A", "B"]


def test_a_client_may_connect_for_each_message(run, serve, helpers):
    async def scenario():
        async with serve() as (server, _):
            client = MllpClient(*server.address, persistent=False)
            for name in ("A", "B"):
                await client.send(helpers.message(name))
            await helpers.until(lambda: server.counters.open == 0)
            assert server.counters.connections == 2

    run(scenario)


def test_tasks_that_send_together_each_get_their_own_answer(run, serve, helpers):
    async def scenario():
        async with serve() as (server, _):
            client = MllpClient(*server.address)
            names = [f"M{number}" for number in range(10)]
            replies = await asyncio.gather(*(client.send(helpers.message(name)) for name in names))
            assert [reply.ack.control_id for reply in replies] == names
            await client.close()

    run(scenario)


def test_a_refusal_is_an_answer(run, scripted, ack, helpers):
    async def scenario():
        async with scripted(ack("AE")) as (client, _, _):
            assert (await client.send(helpers.message("A"))).ack.code == "AE"

    run(scenario)


def test_a_peer_that_nobody_runs_is_unreachable(run, serve, helpers):
    async def scenario():
        async with serve() as (server, _):
            address = server.address
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+ cannot be reached: Connection refused"):
            await MllpClient(*address).send(helpers.message("A"))

    run(scenario)


def test_an_answer_that_never_comes_is_given_up_and_the_connection_reset(run, scripted, ack, helpers):
    async def scenario():
        async with scripted("silence", ack(), answer_timeout=0.05) as (client, _, visits):
            with pytest.raises(NoAnswer, match=r"did not answer in 0\.05 s") as caught:
                await client.send(helpers.message("A"))
            assert caught.value.failure == "timeout"
            assert (await client.send(helpers.message("B"))).ack.control_id == "B"
            assert visits == [1, 1]

    run(scenario)


def test_the_answer_of_another_message_is_never_taken_for_ours(run, scripted, ack, helpers):
    async def scenario():
        async with scripted(ack(control_id="OLD"), ack()) as (client, reports, visits):
            with pytest.raises(NoAnswer) as caught:
                await client.send(helpers.message("A"))
            assert caught.value.failure == "foreign"
            assert len(reports) == 1
            assert (await client.send(helpers.message("B"))).ack.control_id == "B"
            assert visits == [1, 1]

    run(scenario)


def test_an_answer_given_twice_is_not_taken_for_that_of_the_next_message(run, scripted, ack, helpers):
    def twice(raw):
        return ack()(raw) * 2

    async def scenario():
        async with scripted(twice, ack()) as (client, reports, visits):
            assert (await client.send(helpers.message("A"))).ack.control_id == "A"
            assert (await client.send(helpers.message("B"))).ack.control_id == "B"
            assert [report.split(" sent ")[1] for report in reports] == ["an answer to nothing asked"]
            assert visits == [1, 1]

    run(scenario)


@pytest.mark.parametrize("garbage", [b"OK", b"MSH|^~\\&|||||||ACK\r", b"MSH|^~\\&|||||||ACK\rMSA|YES|A\r"])
def test_an_answer_that_is_no_acknowledgement_is_refused(run, scripted, helpers, garbage):
    async def scenario():
        async with scripted(lambda raw: frame(garbage)) as (client, reports, _):
            with pytest.raises(NoAnswer) as caught:
                await client.send(helpers.message("A"))
            assert caught.value.failure == "unreadable"
            assert len(reports) == 1

    run(scenario)


def test_an_acknowledgement_with_other_delimiters_is_read(run, scripted, helpers):
    async def scenario():
        async with scripted(lambda raw: frame(b"MSH:;~\\&::::::::ACK:1\rMSA:AA:A\r")) as (client, _, _):
            assert (await client.send(helpers.message("A"))).ack.code == "AA"

    run(scenario)


def test_an_acknowledgement_without_a_last_carriage_return_is_read(run, scripted, helpers):
    async def scenario():
        async with scripted(lambda raw: frame(b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|A")) as (client, _, _):
            reply = await client.send(helpers.message("A"))
            assert (reply.ack.code, reply.ack.control_id) == ("AA", "A")

    run(scenario)


@pytest.mark.parametrize("msh_18", ["UNICODE UTF-8", "8859/1", "8859/15", "UNKNOWN SET", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_text_of_an_acknowledgement_never_spoils_its_frame_whatever_set_it_is_in(
    run, scripted, helpers, msh_18, encoding
):
    raw_ack = f"MSH|^~\\&|||||||ACK|1|P|2.5||||||{msh_18}\rMSA|AA|A|reçu à Étréchy\r".encode(encoding)

    async def scenario():
        async with scripted(lambda raw: frame(raw_ack)) as (client, reports, _):
            reply = await client.send(helpers.message("A"))
            assert (reply.ack.code, reply.raw) == ("AA", raw_ack), "the bytes are kept as they came"
            assert reports == []

    run(scenario)


def test_a_refusal_that_could_not_read_our_header_is_an_answer(run, scripted, helpers):
    async def scenario():
        async with scripted(lambda raw: frame(b"MSH|^~\\&|||||||ACK\rMSA|AR\r")) as (client, _, _):
            assert (await client.send(helpers.message("A"))).ack.code == "AR"

    run(scenario)


def test_bytes_around_an_answer_are_reported_and_the_answer_taken(run, scripted, ack, helpers):
    async def scenario():
        async with scripted(lambda raw: b"hello" + ack()(raw)) as (client, reports, _):
            assert (await client.send(helpers.message("A"))).ack.code == "AA"
            await client.close()
            assert len(reports) == 1

    run(scenario)


def test_a_peer_that_closes_instead_of_answering_is_reported(run, scripted, helpers):
    async def scenario():
        async with scripted("close") as (client, _, _):
            with pytest.raises(NoAnswer, match="closed the connection without an answer") as caught:
                await client.send(helpers.message("A"))
            assert caught.value.failure == "closed"

    run(scenario)


def test_a_kept_connection_that_the_peer_had_closed_is_opened_anew(run, scripted, ack, helpers):
    async def scenario():
        async with scripted(ack(), "close", ack()) as (client, _, visits):
            await client.send(helpers.message("A"))
            assert (await client.send(helpers.message("B"))).ack.control_id == "B"
            assert visits == [2, 1]

    run(scenario)


def test_a_message_is_not_sent_a_third_time(run, scripted, ack, helpers):
    async def scenario():
        async with scripted(ack(), "close", "close", ack()) as (client, _, visits):
            await client.send(helpers.message("A"))
            with pytest.raises(NoAnswer):
                await client.send(helpers.message("B"))
            assert visits == [2, 1]

    run(scenario)


def test_giving_up_a_message_leaves_nothing_for_the_next(run, scripted, ack, helpers):
    async def scenario():
        async with scripted("silence", ack()) as (client, _, visits):
            sending = asyncio.ensure_future(client.send(helpers.message("A")))
            await helpers.until(lambda: visits == [1])
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert (await client.send(helpers.message("B"))).ack.control_id == "B"
            assert visits == [1, 1]

    run(scenario)


def test_an_acknowledgement_is_posted_without_waiting(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (server, _):
            receiver.holding = True
            client = MllpClient(*server.address)
            await client.post(helpers.answer_to(helpers.message("A")).payload)
            await client.close()
            await helpers.until(lambda: receiver.received)

    run(scenario)
    assert receiver.received[0].raw.split(b"\r")[1] == b"MSA|AA|A"


def test_a_message_that_holds_the_end_of_a_frame_is_not_sent(run, serve, helpers):
    async def scenario():
        async with serve() as (server, _):
            with pytest.raises(ValueError, match="1C 0D"):
                await MllpClient(*server.address).send(helpers.message("A") + b"\x1c\r")
            assert server.counters.connections == 0

    run(scenario)


@pytest.fixture
def mutual_tls(authority, server_certificate):
    return TlsSettings(
        str(server_certificate.cert_file), str(server_certificate.key_file), client_ca_file=str(authority.ca_file)
    )


def test_a_message_goes_over_mutual_tls(run, serve, receiver, authority, mutual_tls, helpers):
    issued = authority.issue_client("forwarder", datetime.now(UTC))
    context = client_context(ClientTlsSettings(str(authority.ca_file), str(issued.cert_file), str(issued.key_file)))

    async def scenario():
        async with serve(tls=mutual_tls) as (server, _):
            client = MllpClient(*server.address, ssl_context=context)
            assert (await client.send(helpers.message("A"))).ack.code == "AA"
            await client.close()

    run(scenario)
    assert receiver.received[0].peer.name == "forwarder"


def test_a_server_of_an_unknown_authority_is_unreachable(run, serve, receiver, mutual_tls, helpers):
    async def scenario():
        async with serve(tls=mutual_tls) as (server, _):
            client = MllpClient(*server.address, ssl_context=client_context(ClientTlsSettings()))
            with pytest.raises(Unreachable, match="its certificate is refused"):
                await client.send(helpers.message("A"))

    run(scenario)
    assert receiver.received == []


def test_a_server_under_another_name_than_expected_is_unreachable(run, serve, authority, mutual_tls, helpers):
    async def scenario():
        async with serve(tls=mutual_tls) as (server, _):
            context = client_context(ClientTlsSettings(str(authority.ca_file)))
            client = MllpClient(*server.address, ssl_context=context, server_name="dmp.example")
            with pytest.raises(Unreachable, match="certificate is refused"):
                await client.send(helpers.message("A"))

    run(scenario)


@pytest.fixture
def renewed(authority, tmp_path):
    """The context of a sender, and what puts another revocation list in its file."""
    now = datetime.now(UTC)
    crl_file = tmp_path / "crl.pem"

    def revoke(*certificates):
        crl_file.write_bytes(authority.revoke(certificates, now).read_bytes())

    revoke()
    return RenewedContext(ClientTlsSettings(str(authority.ca_file), crl_file=str(crl_file))), revoke, crl_file


def test_a_server_whose_certificate_is_revoked_is_refused_at_the_next_connection(
    run, serve, renewed, server_certificate, helpers
):
    context, revoke, _ = renewed
    tls = TlsSettings(str(server_certificate.cert_file), str(server_certificate.key_file))

    async def scenario():
        async with serve(tls=tls) as (server, _):
            client = MllpClient(*server.address, ssl_context=context, persistent=False)
            assert (await client.send(helpers.message("A"))).ack.code == "AA"
            revoke(server_certificate)
            with pytest.raises(Unreachable, match="certificate revoked"):
                await client.send(helpers.message("B"))
            revoke()
            assert (await client.send(helpers.message("C"))).ack.code == "AA"

    run(scenario)


def test_a_revocation_list_that_cannot_be_read_is_told_and_the_one_before_stays_in_use(
    run, serve, renewed, server_certificate, helpers
):
    context, _, crl_file = renewed
    tls = TlsSettings(str(server_certificate.cert_file), str(server_certificate.key_file))

    async def scenario():
        async with serve(tls=tls) as (server, _):
            client = MllpClient(*server.address, ssl_context=context, persistent=False)
            crl_file.write_text("half a list")
            with capture_logs() as logs:
                assert (await client.send(helpers.message("A"))).ack.code == "AA"
                assert (await client.send(helpers.message("B"))).ack.code == "AA"
            assert [(log["event"], str(crl_file) in log["reason"]) for log in logs] == [
                ("tls.files-not-read-again", True)
            ]

    run(scenario)
