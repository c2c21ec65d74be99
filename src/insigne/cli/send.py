"""`insigne send`: send HL7 messages over MLLP, in order, and show their acknowledgements."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from insigne.cli.common import Context, Exit, command_app, emit_line, examples, fail, note
from insigne.hl7 import Ack, split_messages
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import TlsError, client_context
from insigne.transport.mllp_client import MllpClient, NoAnswer, Unreachable, read_header

app = command_app()

_MANY = 20
"""From so many messages on, a terminal shows a progress bar."""


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """One message of a file; `index` counts from 1."""

    file: str
    index: int
    raw: bytes
    control_id: str
    is_ack: bool


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of a message: its acknowledgement, or why there is none."""

    sent: _Outgoing
    ack: Ack | None = None
    reason: str = ""

    @property
    def status(self) -> int:
        """The exit status this result calls for."""
        if self.ack is not None:
            return 0 if self.ack.code in {"AA", "CA"} else Exit.PROBLEMS
        return 0 if self.sent.is_ack and not self.reason else Exit.UNREACHABLE

    def document(self) -> dict[str, object]:
        """The line of `--json`."""
        ack = self.ack
        errors = ack.errors if ack else ()
        return {
            "file": self.sent.file,
            "message": self.sent.index,
            "control_id": self.sent.control_id,
            "code": ack.code if ack else None,
            "text": ack.text if ack else self.reason,
            "errors": [
                {
                    "location": str(error.location) if error.location else "",
                    "code": error.condition,
                    "severity": error.severity,
                    "text": error.text,
                }
                for error in errors
            ],
        }

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        code = self.ack.code if self.ack else "--"
        text = self.ack.text if self.ack else self.reason or "an acknowledgement, not waited for"
        yield f"{code}  {self.sent.file}#{self.sent.index}  {self.sent.control_id}  {text}".rstrip()
        for error in self.ack.errors if self.ack else ():
            place = f"{error.location}: " if error.location else ""
            yield f"      {error.severity} {error.condition} {place}{error.text}".rstrip()


@app.command(
    epilog=examples(
        "insigne send 127.0.0.1:2575 admission.hl7",
        "insigne send gam.example:2575 day1/*.hl7 --timeout 5 --json",
        "insigne send ri.example:2575 messages.mllp --tls-ca ca.pem --tls-cert me.pem --tls-key me.key",
    )
)
def send(
    ctx: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Where to send; an IPv6 address goes in brackets.")],
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Messages to send, in this order.", exists=True, dir_okay=False),
    ],
    *,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="Seconds to wait for a connection and for each answer.")
    ] = 30,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Our certificate (PEM, or PKCS#12).")] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its key, when it is in a file of its own.")
    ] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Authorities believed, instead of the system's.")
    ] = None,
) -> None:
    """Send HL7 messages over MLLP, one at a time and in order, and show their acknowledgements.

    A file holds one message, several MLLP frames, or several messages one after another. The bytes of a message are
    sent as they stand. An acknowledgement found in a file is sent, and no answer to it is waited for. Any of the
    `--tls` options makes the connection a TLS one. Exit status 0 if every answer is AA or CA, 1 if not, 3 if an answer
    is missing.
    """
    context = Context.of(ctx)
    host, port = _parse_peer(peer)
    tls = ClientTlsSettings(*("" if path is None else str(path) for path in (tls_ca, tls_cert, tls_key)))
    try:
        ssl_context = client_context(tls) if tls != ClientTlsSettings() else None
    except TlsError as error:
        fail(Exit.USAGE, str(error))
    client = MllpClient(
        host, port, ssl_context=ssl_context, connect_timeout=timeout, answer_timeout=timeout, report=note
    )
    messages = [outgoing for file in files for outgoing in _read(file)]
    advice = _advice(tls)
    status = asyncio.run(_send_all(client, messages, advice, lambda result: _show(context, result)))
    raise typer.Exit(status)


def _advice(tls: ClientTlsSettings) -> str:
    """Why a peer that was reached may close without a word."""
    if tls.cert_file:
        return "it may not let our certificate in: its log says"
    if tls != ClientTlsSettings():
        return "it may want a certificate of ours: --tls-cert and --tls-key"
    return "a port that expects TLS does so: --tls-ca, --tls-cert and --tls-key"


async def _send_all(
    client: MllpClient, messages: Sequence[_Outgoing], advice: str, show: Callable[[_Result], None]
) -> int:
    """Send all, show each result as it comes, return the exit status.

    Once the peer cannot be reached, what is left is not tried: it would be sent out of order if the peer came back.
    """
    status = 0
    unreachable = ""
    with _progress(len(messages)) as progress:
        task = progress.add_task("sending", total=len(messages))
        for outgoing in messages:
            result = _Result(outgoing, reason=unreachable)
            if not unreachable:
                try:
                    result = await _send_one(client, outgoing, advice)
                except Unreachable as error:
                    unreachable = str(error)
                    result = _Result(outgoing, reason=unreachable)
            show(result)
            status = max(status, result.status)
            progress.advance(task)
    await client.close()
    return status


async def _send_one(client: MllpClient, outgoing: _Outgoing, advice: str) -> _Result:
    """Send one message. Raises Unreachable."""
    try:
        if outgoing.is_ack:
            await client.post(outgoing.raw)
            return _Result(outgoing)
        return _Result(outgoing, (await client.send(outgoing.raw)).ack)
    except NoAnswer as error:
        return _Result(outgoing, reason=f"{error}; {advice}" if error.failure == "closed" else str(error))
    except ValueError as error:
        return _Result(outgoing, reason=str(error))


def _show(context: Context, result: _Result) -> None:
    if context.json:
        emit_line(result.document())
    for line in result.lines():
        context.say(line)


def _progress(total: int) -> Progress:
    """A bar on stderr, when there is somebody to see it."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, transient=True, disable=total < _MANY or not console.is_terminal)


def _read(file: Path) -> Iterator[_Outgoing]:
    """Read the messages of a file; one without any ends the command before anything is sent."""
    try:
        messages = split_messages(file.read_bytes())
    except OSError as error:
        fail(Exit.USAGE, f"{file}: cannot be read ({error.strerror})")
    if not messages:
        fail(Exit.USAGE, f"{file}: holds no message; give a file of HL7 messages, framed or not")
    for index, raw in enumerate(messages, 1):
        header = read_header(raw)
        is_ack = header is not None and header.message_code == "ACK"
        yield _Outgoing(str(file), index, raw, header.control_id if header else "", is_ack)


def _parse_peer(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        fail(Exit.USAGE, f"{text!r} is not HOST:PORT; write it like 127.0.0.1:2575 or [::1]:2575")
    return host, int(port)
