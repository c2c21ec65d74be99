"""Files on a server of FTP or FTPS (aioftp), in passive mode: hospitals still ask for it. SFTP is the better answer.

With TLS, commands and files are both protected (PROT P) and the certificate and name of the server are verified. The
address that the server announces for a transfer is not believed: it is the one we connected to.
"""

import asyncio
import ssl
from calendar import timegm
from collections.abc import Awaitable, Callable
from time import strptime
from typing import TypeVar

import aioftp
import structlog

from insigne.net.secrets import SecretError, read_secret
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import RenewedContext
from insigne.transport.files import Entry, FilesError, FilesFailure, Kept
from insigne.transport.settings import FtpSettings

Result = TypeVar("Result")

_BLOCK = 65_536
_log = structlog.get_logger("insigne.transport.ftp")


class FtpFiles:
    """See `files.Files`. One connection, kept between operations; says once that it is in clear.

    Raises `net.tls.TlsError`.
    """

    def __init__(self, settings: FtpSettings) -> None:
        self._settings = settings
        self._context = _context(settings)
        self.place = f"{'ftps' if settings.tls else 'ftp'}://{settings.user}@{settings.host}:{settings.port}"
        self._kept = Kept[_Connection](
            self.place,
            seconds=settings.transfer_seconds,
            open_=self._open,
            end=_Connection.give_up,
            alive=_Connection.alive,
            understood=self._understood,
        )
        if settings.tls is None:
            _log.warning("ftp.in-clear", server=self.place, remedy="prefer SFTP, or FTPS: give it a table tls")

    async def listing(self, folder: str) -> list[Entry]:
        """See `Files.listing`. A folder that is missing may look empty: servers differ."""

        async def listing(connection: "_Connection") -> list[Entry]:
            found = await connection.list(folder)
            return [
                Entry(path.name, int(facts.get("size", 0)), _moment(facts.get("modify", "")))
                for path, facts in found
                if facts["type"] == "file" and not path.name.startswith(".")
            ]

        return await self._run(listing)

    async def read(self, path: str, limit: int) -> bytes:
        """See `Files.read`."""

        async def read(connection: "_Connection") -> bytes:
            data = b""
            async with connection.download_stream(path) as stream:
                while len(data) <= limit and (block := await stream.read(_BLOCK)):
                    data += block
                if len(data) > limit:
                    connection.leave_unread()
            return data[: limit + 1]

        return await self._run(read)

    async def write(self, path: str, data: bytes) -> None:
        """See `Files.write`. The server has it whole when this returns; whether on its disk, FTP cannot say."""

        async def write(connection: "_Connection") -> None:
            async with connection.upload_stream(path) as stream:
                await stream.write(data)
            if await connection.size(path) not in (None, len(data)):
                raise FilesError("closed", f"{self.place}: the server did not take the whole file")

        await self._run(write)

    async def replace(self, source: str, target: str) -> None:
        """See `Files.replace`. Where the server renames over nothing, what had the name is removed first."""

        async def replace(connection: "_Connection") -> None:
            try:
                await connection.rename(source, target)
            except aioftp.StatusCodeError:
                if not await connection.exists(target):
                    raise
                await connection.remove_file(target)
                await connection.rename(source, target)

        await self._run(replace)

    async def remove(self, path: str) -> None:
        """See `Files.remove`."""
        try:
            await self._run(lambda connection: connection.remove_file(path))
        except FilesError as error:
            if error.kind != "missing":
                raise
            if await self.exists(path):  # 550 is also said for what is not allowed
                raise FilesError("refused", str(error)) from error

    async def exists(self, path: str) -> bool:
        """See `Files.exists`."""
        return await self._run(lambda connection: connection.exists(path))

    async def make_folder(self, folder: str) -> None:
        """See `Files.make_folder`."""

        async def make(connection: "_Connection") -> None:
            try:
                await connection.command(f"MKD {folder}", "257")
            except aioftp.StatusCodeError:
                if not await connection.exists(folder):
                    raise

        await self._run(make)

    async def close(self) -> None:
        """See `Files.close`."""
        await self._kept.close()

    async def _run(self, work: Callable[["_Connection"], Awaitable[Result]]) -> Result:
        """Run an operation; one that fails leaves no transfer open behind it."""

        async def run(connection: "_Connection") -> Result:
            try:
                return await work(connection)
            except BaseException:
                connection.end_transfer()
                raise

        return await self._kept.run(run)

    async def _open(self) -> "_Connection":
        settings = self._settings
        tls = settings.tls
        context = self._context() if self._context is not None else None
        implicit = context if tls is not None and tls.implicit else None
        connection = _Connection(ssl=implicit, encoding=settings.encoding)
        try:
            async with asyncio.timeout(settings.connect_seconds):
                password = read_secret(settings.password_file)
                await connection.connect(settings.host, settings.port)
                if context is not None and implicit is None:
                    await connection.upgrade_to_tls(context)
                elif implicit is not None:
                    await connection.protect()
                await connection.login(settings.user, password)
        except Exception as error:
            connection.give_up()
            raise self._not_opened(error) from error
        except BaseException:
            connection.give_up()
            raise
        return connection

    def _not_opened(self, error: Exception) -> FilesError:
        """What a failure to connect means."""
        kind: FilesFailure = "unreachable"
        match error:
            case SecretError():
                kind, text = "refused-credentials", str(error)
            case ssl.SSLCertVerificationError():
                kind, text = "refused-tls", f"its certificate is refused ({error.verify_message}); check tls.ca_file"
            case ssl.SSLError():
                kind, text = "refused-tls", f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}"
            case aioftp.StatusCodeError() if error.received_codes[-1] == "530":
                kind, text = "refused-credentials", "we are not let in; check user and password"
            case aioftp.StatusCodeError():
                kind = "refused-tls" if self._context is not None else "unreachable"
                text = f"the server answered {error.received_codes[-1]} before we could log in"
            case TimeoutError():
                text = f"no connection in {self._settings.connect_seconds:g} s"
            case OSError():
                text = error.strerror or "it closed the connection"
            case _:
                text = "it does not speak FTP"
        return FilesError(kind, f"{self.place}: {text}")

    def _understood(self, error: Exception) -> FilesError | None:
        """What the failure of an operation means; None when it is no failure of the server."""
        kind: FilesFailure
        match error:
            case FilesError():
                return error
            case aioftp.StatusCodeError():
                code = str(error.received_codes[-1])
                kind = _REPLIES.get(code, "closed" if code.startswith("4") else "refused")
                text = f"the server refuses the operation (code {code})"
            case ssl.SSLError():
                kind, text = "refused-tls", f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}"
            case OSError():
                kind, text = "closed", "the connection was lost"
            case ValueError() | KeyError() | IndexError() | aioftp.AIOFTPException():
                kind, text = "closed", "it answered what is no FTP"
            case _:
                return None
        return FilesError(kind, f"{self.place}: {text}")


#: RFC 959 §4.2.1. 550 is said for a file that is missing, and by many servers for whatever they do not allow.
_REPLIES: dict[str, FilesFailure] = {
    "421": "closed",
    "425": "closed",
    "426": "closed",
    "450": "refused",
    "452": "full",
    "530": "refused-credentials",
    "550": "missing",
    "552": "full",
}


class _Connection(aioftp.Client):
    """A client that can be given up at any moment, and knows its transfer under way."""

    _transfer: asyncio.StreamWriter | None = None
    _broken = False

    async def get_passive_connection(
        self, *args: object, **options: object
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """See `aioftp.Client`."""
        self.end_transfer()
        reader, writer = await super().get_passive_connection()
        self._transfer = writer
        return reader, writer

    async def protect(self) -> None:
        """Ask for the transfers to be encrypted, on a connection that already is (RFC 4217 §8.2, §9)."""
        await self.command("PBSZ 0", "200")
        await self.command("PROT P", "200")

    async def size(self, path: str) -> int | None:
        """The size of a file as the server tells it (RFC 3659 §4); None when it does not."""
        try:
            _, lines = await self.command(f"SIZE {path}", "213")
            return int(lines[-1])
        except (aioftp.StatusCodeError, ValueError):
            return None

    def leave_unread(self) -> None:
        """Note that a transfer is stopped half way: what the server says next is not to be waited for."""
        self._broken = True

    def alive(self) -> bool:
        """Whether the connection still stands, as far as is known."""
        return not self._broken and not self.stream.reader.at_eof()

    def give_up(self) -> None:
        """Give up the connection and the transfer under way."""
        self.end_transfer()
        if self._stream is not None:
            self._stream.writer.transport.abort()

    def end_transfer(self) -> None:
        """Give up the transfer under way, if there is one."""
        if self._transfer is not None:
            self._transfer.transport.abort()
            self._transfer = None


def _context(settings: FtpSettings) -> RenewedContext | None:
    tls = settings.tls
    if tls is None:
        return None
    return RenewedContext(
        ClientTlsSettings(
            ca_file=tls.ca_file,
            cert_file=tls.cert_file,
            key_file=tls.key_file,
            key_password_file=tls.key_password_file,
            crl_file=tls.crl_file,
        )
    )


def _moment(modified: str) -> float:
    """The date of a file (RFC 3659 §2.3, `YYYYMMDDHHMMSS[.sss]`, UTC) in seconds; 0 when it is written otherwise."""
    whole, _, fraction = modified.partition(".")
    try:
        return timegm(strptime(whole, "%Y%m%d%H%M%S")) + float(f"0.{fraction or 0}")
    except ValueError:
        return 0
