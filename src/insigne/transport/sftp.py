"""Files on a server of SFTP (asyncssh). The key of the server is always verified; no agent and no `~/.ssh` counts."""

from contextlib import suppress
from pathlib import Path
from typing import cast

import asyncssh

from insigne.net.secrets import SecretError, read_secret
from insigne.transport.files import Entry, FilesError, FilesFailure, Kept
from insigne.transport.settings import SftpSettings

_BLOCK = 262_144


class SftpFiles:
    """See `files.Files`. One connection, kept between operations."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self.place = f"sftp://{settings.user}@{settings.host}:{settings.port}"
        self._kept = Kept[_Session](
            self.place,
            seconds=settings.transfer_seconds,
            open_=self._open,
            end=_Session.abort,
            alive=_Session.alive,
            understood=self._understood,
        )

    async def listing(self, folder: str) -> list[Entry]:
        """See `Files.listing`."""
        names = await self._kept.run(lambda session: session.sftp.readdir(folder))
        entries = []
        for one in names:
            name, attributes = str(one.filename), one.attrs
            if attributes.type == asyncssh.FILEXFER_TYPE_REGULAR and not name.startswith("."):
                entries.append(Entry(name, attributes.size or 0, attributes.mtime or 0))
        return entries

    async def read(self, path: str, limit: int) -> bytes:
        """See `Files.read`."""

        async def read(session: "_Session") -> bytes:
            async with session.sftp.open(path, "rb") as file:
                data = b""
                # Opened as binary, it gives bytes; its type says either.
                while len(data) <= limit and (block := cast("bytes", await file.read(_BLOCK))):
                    data += block
                return data[: limit + 1]

        return await self._kept.run(read)

    async def write(self, path: str, data: bytes) -> None:
        """See `Files.write`; on the disk of the server where it can say so (`fsync@openssh.com`)."""

        async def write(session: "_Session") -> None:
            async with session.sftp.open(path, "wb") as file:
                await file.write(data)
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()

        await self._kept.run(write)

    async def replace(self, source: str, target: str) -> None:
        """See `Files.replace`. A server without `posix-rename@openssh.com` cannot do it at once."""

        async def replace(session: "_Session") -> None:
            try:
                await session.sftp.posix_rename(source, target)
            except asyncssh.SFTPOpUnsupported:
                if await session.sftp.exists(target):
                    await session.sftp.remove(target)
                await session.sftp.rename(source, target)

        await self._kept.run(replace)

    async def remove(self, path: str) -> None:
        """See `Files.remove`."""
        try:
            await self._kept.run(lambda session: session.sftp.remove(path))
        except FilesError as error:
            if error.kind != "missing":
                raise

    async def exists(self, path: str) -> bool:
        """See `Files.exists`."""
        return await self._kept.run(lambda session: session.sftp.exists(path))

    async def make_folder(self, folder: str) -> None:
        """See `Files.make_folder`."""

        async def make(session: "_Session") -> None:
            if not await session.sftp.isdir(folder):
                await session.sftp.mkdir(folder)

        await self._kept.run(make)

    async def close(self) -> None:
        """See `Files.close`."""
        await self._kept.close()

    async def _open(self) -> "_Session":
        settings = self._settings
        try:
            password = read_secret(settings.password_file) if settings.password_file else None
            keys = [self._private_key()] if settings.key_file else None
            connection = await asyncssh.connect(
                settings.host,
                settings.port,
                username=settings.user,
                password=password,
                client_keys=keys,
                known_hosts=self._known_hosts(),
                client_factory=lambda: _Client(settings.host_key),
                # Nothing but what is configured: neither the agent nor the files of the account we run under.
                agent_path=None,
                config=None,
                connect_timeout=settings.connect_seconds,
                login_timeout=settings.connect_seconds,
                keepalive_interval=settings.connect_seconds,
            )
        except SecretError as error:
            raise FilesError("refused-credentials", f"{self.place}: {error}") from error
        except (OSError, asyncssh.Error) as error:
            raise self._not_opened(error) from error
        try:
            return _Session(connection, await connection.start_sftp_client())
        except (OSError, asyncssh.Error) as error:
            connection.abort()
            raise FilesError("unreachable", f"{self.place}: it does not speak SFTP") from error
        except BaseException:
            connection.abort()
            raise

    def _known_hosts(self) -> str | tuple[list[str], list[str], list[str]]:
        """The file of known keys, which must be there: without it none would be known. With a fingerprint, no list."""
        path = self._settings.known_hosts_file
        if not path:
            return [], [], []
        try:
            with Path(path).open(encoding="utf-8"):
                return path
        except OSError as error:
            raise FilesError(
                "refused-tls", f"{path}: cannot be read ({error.strerror}); name a readable file"
            ) from error

    def _private_key(self) -> asyncssh.SSHKey:
        path = self._settings.key_file
        password = self._settings.key_password_file
        try:
            return asyncssh.read_private_key(path, read_secret(password) if password else None)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a private key, or another password"
            raise FilesError("refused-credentials", f"{path}: cannot be used ({reason})") from error

    def _not_opened(self, error: Exception) -> FilesError:
        """What a failure to connect means."""
        match error:
            case asyncssh.HostKeyNotVerifiable():
                text = "its key is not the one configured: ask whoever runs it before trusting another"
                return FilesError("refused-tls", f"{self.place}: {text}")
            case asyncssh.PermissionDenied():
                return FilesError("refused-credentials", f"{self.place}: we are not let in; check user, key, password")
            case TimeoutError():
                return FilesError("unreachable", f"{self.place}: no connection in {self._settings.connect_seconds:g} s")
            case asyncssh.DisconnectError() | asyncssh.Error():
                return FilesError("unreachable", f"{self.place}: it closed the connection before we could log in")
            case _:
                reason = error.strerror if isinstance(error, OSError) else None
                return FilesError("unreachable", f"{self.place}: {reason or 'none of its addresses answers'}")

    def _understood(self, error: Exception) -> FilesError | None:
        """What the failure of an operation means; None when it is no failure of the server."""
        kind: FilesFailure
        match error:
            case FilesError():
                return error
            case asyncssh.SFTPNoConnection() | asyncssh.SFTPConnectionLost():
                kind, text = "closed", "the connection was lost"
            case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
                kind, text = "missing", "no such file or folder"
            case asyncssh.SFTPNoSpaceOnFilesystem() | asyncssh.SFTPQuotaExceeded():
                kind, text = "full", "no room left there"
            case asyncssh.SFTPError():
                kind, text = "refused", f"the server refuses the operation (status {error.code})"
            case asyncssh.Error() | OSError():
                kind, text = "closed", "the connection was lost"
            case _:
                return None
        return FilesError(kind, f"{self.place}: {text}")


class _Client(asyncssh.SSHClient):
    """Accepts a server by the fingerprint of its key when one is configured; asked only for keys that no list has."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint.removeprefix("SHA256:").rstrip("=")

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """See `asyncssh.SSHClient`."""
        shown = key.get_fingerprint("sha256").removeprefix("SHA256:").rstrip("=")
        return bool(self._fingerprint) and shown == self._fingerprint


class _Session:
    """A connection with its SFTP channel."""

    def __init__(self, connection: asyncssh.SSHClientConnection, sftp: asyncssh.SFTPClient) -> None:
        self.sftp = sftp
        self._connection = connection

    def alive(self) -> bool:
        """Whether the connection still stands, as far as is known."""
        return not self._connection.is_closed()

    def abort(self) -> None:
        """Give the connection up."""
        self.sftp.exit()
        self._connection.abort()
