"""Playing the hospital:

messages over MLLP with mutual TLS, then by folder, each answer compared with the one expected.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from insigne.cli.demo.stage import Stage
from insigne.hl7 import Hl7Error, frame, parse_ack
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import client_context
from insigne.simulate.hospital import GeneratedMessage
from insigne.transport.mllp_client import ClientError, MllpClient

_FILE_MESSAGES = 25
_FOLDER_SECONDS = 60.0

Progress = Callable[[int], None]


@dataclass(slots=True)
class Answers:
    """What came back: counts by code, and the messages whose answer was not the expected one."""

    codes: dict[str, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)

    def add(self, message: GeneratedMessage, code: str) -> None:
        """Count an answer."""
        self.codes[code] = self.codes.get(code, 0) + 1
        if code != message.expected_code:
            shown = f"{message.control_id} {message.event}: {code or 'no answer'} for {message.expected_code}"
            self.surprises.append(f"{shown} ({message.why})")


async def play_mllp(stage: Stage, messages: Iterable[GeneratedMessage], answers: Answers, progress: Progress) -> None:
    """Send in order over one TLS connection."""
    host, _, port = stage.mllp.rpartition(":")
    settings = ClientTlsSettings(
        ca_file=str(stage.ca_file), cert_file=str(stage.client.cert_file), key_file=str(stage.client.key_file)
    )
    client = MllpClient(host, int(port), ssl_context=client_context(settings))
    try:
        for message in messages:
            answers.add(message, await _answer(client, message))
            progress(1)
    finally:
        await client.close()


async def _answer(client: MllpClient, message: GeneratedMessage) -> str:
    """The code answered; "" for a message that is not to be answered, and for one that was not."""
    try:
        if message.expected_code:
            return (await client.send(message.payload)).ack.code
        await client.post(message.payload)
    except ClientError:
        pass
    return ""


async def play_folder(stage: Stage, messages: Sequence[GeneratedMessage], answers: Answers, progress: Progress) -> None:
    """Drop files of several messages in the watched folder, one after the other, and read their acknowledgements."""
    for start in range(0, len(messages), _FILE_MESSAGES):
        batch = messages[start : start + _FILE_MESSAGES]
        name = f"feed-{start:06d}.hl7"
        temporary = stage.inbox / f"{name}.tmp"
        temporary.write_bytes(b"".join(frame(message.payload) for message in batch))
        temporary.rename(stage.inbox / name)
        await _archived(stage, name)
        for index, message in enumerate(batch, 1):
            answers.add(message, _code(stage, name, index))
            progress(1)


async def _archived(stage: Stage, name: str) -> None:
    """Wait until the file was taken to the archive, which happens after its last acknowledgement."""
    deadline = asyncio.get_running_loop().time() + _FOLDER_SECONDS
    while not (stage.inbox / "archive" / name).exists():
        if asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(0.02)


def _code(stage: Stage, name: str, index: int) -> str:
    try:
        return parse_ack((stage.inbox / "acks" / f"{name}.{index:04d}.ack").read_bytes()).code
    except (OSError, Hl7Error):
        return ""
