"""The MLLP client: one message out, its acknowledgement back, matched by MSA-2 (IHE ITI TF-2 C.2.1).

An answer that is not that of the message sent is never taken for it: it is reported and the connection is reset, since
from there on every answer could be one too late.

    ClientError        the text names the peer and the reason, never content
    ├── Unreachable    no connection: nothing was sent
    └── NoAnswer       sent; whether the peer processed it is not known, so it is to be sent again with the same MSH-10
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import structlog

from insigne.hl7 import Ack, CharsetPolicy, Frame, Hl7Error, Junk, Message, MllpDecoder, frame, parse_ack
from insigne.net.contexts import Contexts, context_now

_log = structlog.get_logger("insigne.transport.mllp")

_CLOSE_SECONDS = 3.0
"""How long a connection may take to send its last bytes and close, before it is cut."""

Failure: TypeAlias = Literal["timeout", "closed", "foreign", "unreadable"]


class ClientError(Exception):
    """A message that was not acknowledged."""


class Unreachable(ClientError):  # noqa: N818  # named for what happened
    """No connection could be made; nothing was sent. `refused_tls`: the peer is there, TLS was not agreed on."""

    def __init__(self, text: str, *, refused_tls: bool = False) -> None:
        super().__init__(text)
        self.refused_tls = refused_tls


class NoAnswer(ClientError):  # noqa: N818  # named for what happened
    """The message was sent, and no acknowledgement of it came; `failure` says what came instead, `raw` is that."""

    def __init__(self, failure: Failure, text: str, raw: bytes = b"") -> None:
        super().__init__(text)
        self.failure = failure
        self.raw = raw


@dataclass(frozen=True, slots=True)
class Reply:
    """The acknowledgement of a message: as read, and as received (unframed)."""

    ack: Ack
    raw: bytes


def _log_stray(reason: str) -> None:
    _log.warning("mllp.stray-answer", reason=reason)


class MllpClient:
    """A client of one peer. Messages sent at the same time by several tasks go one after another.

    ssl_context: None for clear text; what gives it is asked at each connection. server_name: expected in the peer's
    certificate, when it is not the host.
    connect_timeout, answer_timeout: seconds. persistent: keep the connection for the next message. max_frame: bytes of
    the largest answer. report: told of answers and bytes that answer nothing sent, without their content.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ssl_context: Contexts | None = None,
        server_name: str = "",
        connect_timeout: float = 10.0,
        answer_timeout: float = 30.0,
        persistent: bool = True,
        max_frame: int = 1_048_576,
        report: Callable[[str], None] = _log_stray,
    ) -> None:
        self.peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._server_name = server_name or host
        self._connect_timeout = connect_timeout
        self._answer_timeout = answer_timeout
        self._persistent = persistent
        self._max_frame = max_frame
        self._report = report
        self._lock = asyncio.Lock()
        self._link: _Link | None = None

    async def send(self, raw: bytes) -> Reply:
        """Send a message and return its acknowledgement, whatever its code.

        A kept connection that the peer closes instead of answering is opened anew, and the message sent again, once:
        the peer had most likely closed it before. Raises ClientError; ValueError when `raw` cannot be framed.
        """
        data = frame(raw)
        header = read_header(raw)
        expected = header.control_id if header else ""
        async with self._lock:
            reused = self._usable()
            payload = await self._ask(reused or await self._connect(), data, again=reused is not None)
            try:
                reply = Reply(_check(payload, expected, self.peer), payload)
            except NoAnswer as error:
                self._report(str(error))
                await self._reset()
                raise
            if not self._persistent:
                await self._reset()
            return reply

    async def post(self, raw: bytes) -> None:
        """Send what is never answered: an acknowledgement. Raises ClientError; ValueError when it cannot be framed."""
        data = frame(raw)
        async with self._lock:
            link = self._usable() or await self._connect()
            try:
                await asyncio.wait_for(link.post(data), self._answer_timeout)
            except (TimeoutError, _LinkLostError) as error:
                await self._reset()
                raise NoAnswer("closed", f"{self.peer} did not take the message{error}") from error
            if not self._persistent:
                await self._reset()

    async def probe(self) -> None:
        """Connect and close, without sending anything. Raises Unreachable."""
        async with self._lock:
            if self._usable() is None:
                await self._connect()
                await self._reset()

    async def close(self) -> None:
        """Send what is left and close the connection; the client may be used again."""
        async with self._lock:
            await self._reset()

    def _usable(self) -> "_Link | None":
        """Return the kept connection if it still stands and nothing unasked came over it."""
        link = self._link
        if link is None or link.lost or link.strays:
            if link is not None:
                self._report_strays(link)
                link.abort()
                self._link = None
            return None
        return link

    async def _connect(self) -> "_Link":
        loop = asyncio.get_running_loop()
        name = self._server_name if self._ssl_context else None
        try:
            _, link = await asyncio.wait_for(
                loop.create_connection(
                    lambda: _Link(self._max_frame),
                    self._host,
                    self._port,
                    ssl=context_now(self._ssl_context),
                    server_hostname=name,
                ),
                self._connect_timeout,
            )
        except TimeoutError as error:
            raise Unreachable(f"{self.peer} cannot be reached: no connection in {self._connect_timeout:g} s") from error
        except OSError as error:
            tls = isinstance(error, ssl.SSLError)
            raise Unreachable(f"{self.peer} cannot be reached: {_reason(error)}", refused_tls=tls) from error
        self._link = link
        return link

    async def _ask(self, link: "_Link", data: bytes, *, again: bool) -> bytes:
        try:
            return await asyncio.wait_for(link.ask(data), self._answer_timeout)
        except _LinkLostError as error:
            await self._reset()
            if again:
                return await self._ask(await self._connect(), data, again=False)
            raise NoAnswer("closed", f"{self.peer} closed the connection without an answer{error}") from error
        except TimeoutError as error:
            await self._reset()
            raise NoAnswer("timeout", f"{self.peer} did not answer in {self._answer_timeout:g} s") from error
        except BaseException:
            # Cancelled: the answer may still come, and must not be there for the next message.
            link.abort()
            self._link = None
            raise

    async def _reset(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._report_strays(link)
            await link.close()

    def _report_strays(self, link: "_Link") -> None:
        for stray in link.strays:
            self._report(f"{self.peer} sent {stray}")
        link.strays.clear()


def read_header(raw: bytes) -> Message | None:
    """Return the message, read as Latin-1 if its character set cannot be; None when it has no usable header."""
    for policy in (CharsetPolicy(), CharsetPolicy(real="latin-1")):
        try:
            return Message.parse(raw, policy)
        except Hl7Error:
            continue
    return None


def _check(payload: bytes, expected: str, peer: str) -> Ack:
    """Return the acknowledgement if it is that of the message sent. Raises NoAnswer."""
    try:
        ack = parse_ack(payload)
    except Hl7Error as error:
        text = f"{peer} answered with something else than an acknowledgement: {error}"
        raise NoAnswer("unreadable", text, payload) from error
    # A peer that could not read our header can only refuse without saying what.
    if ack.control_id == expected or (not ack.control_id and ack.code[1] != "A"):
        return ack
    text = f"{peer} answered another message than the one sent: MSA-2 is not its MSH-10"
    raise NoAnswer("foreign", text, payload)


class _LinkLostError(Exception):
    """The connection was lost."""


class _Link(asyncio.Protocol):
    """One connection: what comes while a question is open answers it, anything else is a stray."""

    def __init__(self, max_frame: int) -> None:
        self.lost = False
        self.strays: list[str] = []
        self._decoder = MllpDecoder(max_frame)
        self._transport: asyncio.Transport | None = None
        self._question: asyncio.Future[bytes] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = asyncio.Event()
        self._reason = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Every stream transport of a loop is one; the type only says so in its name.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._take(self._decoder.receive(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._reason = f": {_reason(exc)}" if isinstance(exc, OSError) else ""
        self._take(self._decoder.end())
        self._closed.set()
        self._writable.set()
        if self._question is not None and not self._question.done():
            self._question.set_exception(_LinkLostError(self._reason))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def ask(self, data: bytes) -> bytes:
        """Write a frame and return the payload of the next one received. Raises _LinkLostError."""
        self._question = asyncio.get_running_loop().create_future()
        try:
            self._write(data)
            return await self._question
        finally:
            self._question = None

    async def post(self, data: bytes) -> None:
        """Write a frame, wait until the peer takes it. Raises _LinkLostError."""
        self._write(data)
        await self._writable.wait()
        if self.lost:
            raise _LinkLostError(self._reason)

    async def close(self) -> None:
        """Send what is left and close; cut after a while."""
        if self._transport is not None:
            self._transport.close()
        try:
            await asyncio.wait_for(self._closed.wait(), _CLOSE_SECONDS)
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self.lost or self._transport is None:
            raise _LinkLostError(self._reason)
        self._transport.write(data)

    def _take(self, items: list[Frame | Junk]) -> None:
        for item in items:
            if isinstance(item, Junk):
                self.strays.append(f"{item.size} bytes that are no message ({item.reason})")
            elif self._question is not None and not self._question.done():
                self._question.set_result(item.payload)
            else:
                self.strays.append("an answer to nothing asked")
        del self.strays[16:]  # a chatterer must not fill our memory


def _reason(error: OSError) -> str:
    """Say why in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or type(error).__name__}"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or "none of its addresses answers"
