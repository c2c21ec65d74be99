"""An independent client, that of python-hl7: it reads an answer in one go."""

import asyncio
from datetime import UTC, datetime

import pytest
from hl7.client import MLLPClient

import hl7
from insigne.hl7 import Message
from insigne.net.settings import ClientTlsSettings, TlsSettings
from insigne.net.tls import client_context

CODECS = {"8859/1": "latin-1", "UNICODE UTF-8": "utf-8"}


@pytest.mark.parametrize("charset", CODECS)
@pytest.mark.parametrize("with_tls", [False, True])
def test_python_hl7_sends_and_reads_its_answers(
    run, serve, receiver, helpers, authority, server_certificate, charset, with_tls
):
    issued = authority.issue_client("python-hl7", datetime.now(UTC))
    context = client_context(ClientTlsSettings(str(authority.ca_file), str(issued.cert_file), str(issued.key_file)))
    server_tls = TlsSettings(
        str(server_certificate.cert_file), str(server_certificate.key_file), client_ca_file=str(authority.ca_file)
    )

    def converse(host, port):
        answers = []
        with MLLPClient(host, port, encoding=CODECS[charset]) as client:
            if with_tls:
                client.socket = context.wrap_socket(client.socket, server_hostname=host)
            for name in ("A", "B", "C"):
                text = helpers.message(name, charset).decode(CODECS[charset])
                answers.append(client.send_message(hl7.parse(text)))
        return answers

    async def scenario():
        async with serve(tls=server_tls if with_tls else None) as (server, _):
            return await asyncio.to_thread(converse, *server.address)

    answers = run(scenario)
    for name, answer in zip("ABC", answers, strict=True):
        assert answer.startswith(b"\x0b")
        assert answer.endswith(b"\r\x1c\r")
        msa = hl7.parse(answer[1:-2].decode(CODECS[charset])).segment("MSA")
        assert [str(msa[1]), str(msa[2])] == ["AA", name]
    assert {Message.parse(received.raw).value("PID-5.1") for received in receiver.received} == {"BÉRANGER"}
