"""Messages as files for a receiver: written under another name, then renamed; acknowledged, when it does, by files.

    FILE.tmp            written whole
    FILE.tmp -> FILE    the message is there
    SEMAPHORE           made the same way, if the receiver wants one
    ACK -> taken/ACK    the acknowledgement was read; it is found there again if we stop before keeping it

A message sent again has the same name: after a crash at any of these steps the end is one file, unless the receiver
took it in between.
"""

import re
from collections.abc import Mapping

from insigne.exchange.delivery.ports import Acknowledged, DeliveryName, Deposited, SendFailed, SendFailure
from insigne.hl7 import Hl7Error, parse_ack
from insigne.transport.files import Entry, Files, FilesError, FilesFailure, join
from insigne.transport.settings import FIELD, DepositSettings

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

#: A place that is missing or closed to us has certainly not taken the message.
_FAILURES: Mapping[FilesFailure, SendFailure] = {
    "unreachable": "unreachable",
    "missing": "unreachable",
    "timeout": "timeout",
    "closed": "closed",
    "full": "full",
    "refused-tls": "refused-tls",
    "refused-credentials": "refused-credentials",
    "refused": "refused-credentials",
}


class DepositSender:
    """See `exchange.delivery.ports.Sender` `Acknowledging` and `Probing`."""

    def __init__(self, settings: DepositSettings, files: Files) -> None:
        self._settings = settings
        self._files = files
        self._looked_at: dict[str, Entry] = {}

    async def deliver(self, raw: bytes, name: DeliveryName) -> Deposited:
        """See `Sender.deliver`."""
        file, semaphore = self._names(name)
        try:
            await self._put(file, raw)
            if semaphore:
                await self._put(semaphore, b"")
        except FilesError as error:
            raise SendFailed(_FAILURES[error.kind], str(error)) from error
        return Deposited(file, acknowledged_later=bool(self._settings.acks))

    async def acknowledgement(self, name: DeliveryName) -> Acknowledged | None:
        """See `Acknowledging.acknowledgement`.

        A file that is not, or not yet, the acknowledgement of this message is left where it is; when it stays the same
        between two looks, it is told: SendFailed, "malformed-ack" or "foreign-ack".
        """
        if not self._settings.acks:
            return None
        file, _ = self._names(name)
        ack_file = _made(self._settings.ack_file, name, file)
        acks = join(self._settings.path, self._settings.acks)
        taken = join(acks, self._settings.acks_taken)
        try:
            return await self._taken(acks, taken, ack_file, name.control_id)
        except FilesError as error:
            raise SendFailed(_FAILURES[error.kind], str(error)) from error

    async def probe(self) -> None:
        """See `Probing.probe`: a file is written under a temporary name, and removed."""
        path = join(self._settings.path, f"insigne-probe{self._settings.temporary_suffix}")
        try:
            await self._files.listing(self._settings.path)
            await self._files.write(path, b"")
            await self._files.remove(path)
        except FilesError as error:
            raise SendFailed(_FAILURES[error.kind], str(error)) from error
        finally:
            await self._files.close()

    async def close(self) -> None:
        """See `Sender.close`."""
        await self._files.close()

    async def _put(self, file: str, data: bytes) -> None:
        target = join(self._settings.path, file)
        temporary = target + self._settings.temporary_suffix
        await self._files.write(temporary, data)
        await self._files.replace(temporary, target)

    async def _taken(self, acks: str, taken: str, ack_file: str, control_id: str) -> Acknowledged | None:
        limit = self._settings.max_ack_bytes
        for folder in (acks, taken):
            try:
                data = await self._files.read(join(folder, ack_file), limit)
            except FilesError as error:
                if error.kind != "missing":
                    raise
                continue
            acknowledged = self._read(data, control_id, settled=folder == taken)
            if acknowledged is None:
                await self._complain(acks, ack_file, data)
                return None
            if folder == acks:
                await self._files.make_folder(taken)
                await self._files.replace(join(acks, ack_file), join(taken, ack_file))
            self._looked_at.pop(ack_file, None)
            return acknowledged
        return None

    def _read(self, data: bytes, control_id: str, *, settled: bool) -> Acknowledged | None:
        """The acknowledgement in a file, None when it is not, or not yet, that of the message."""
        if not settled and not data.endswith((b"\r", b"\n", b"\x1c")):
            return None  # it may be half written, and half an MSA-2 names another message
        payload = data.strip(b"\x0b\x1c\r\n") + b"\r"
        try:
            ack = parse_ack(payload)
        except Hl7Error:
            return None
        if ack.control_id != control_id:
            return None
        return Acknowledged(ack.code, ack.text, tuple(ack.errors), payload)

    async def _complain(self, acks: str, ack_file: str, data: bytes) -> None:
        """Raise SendFailed if a file that does not answer is complete: the same as when it was last looked at."""
        entries = {entry.name: entry for entry in await self._files.listing(acks)}
        entry = entries.get(ack_file)
        if entry is None or self._looked_at.get(ack_file) != entry:
            if entry is not None:
                self._looked_at[ack_file] = entry
            return
        try:
            parse_ack(data.strip(b"\x0b\x1c\r\n") + b"\r")
        except Hl7Error as error:
            text = f"{self._files.place}: {ack_file} holds something else than an acknowledgement: {error}"
            raise SendFailed("malformed-ack", text, data) from error
        text = f"{self._files.place}: {ack_file} answers another message: MSA-2 is not its MSH-10, or it has no end"
        raise SendFailed("foreign-ack", text, data)

    def _names(self, name: DeliveryName) -> tuple[str, str]:
        """The name of the file of a message, and of its semaphore ("" without)."""
        file = _made(self._settings.file, name, "")
        semaphore = self._settings.semaphore
        return file, _made(semaphore, name, file) if semaphore else ""


def _made(template: str, name: DeliveryName, file: str) -> str:
    """A name of a file: fields that come from messages hold only letters, digits, `.`, `-` and `_`."""
    values = {
        "ordinal": f"{name.ordinal:012d}",
        "control_id": _safe(name.control_id),
        "event": _safe("_".join(name.event.split("^")[:2])),
        "time": re.sub(r"\D", "", name.time)[:14],
        "file": file,
    }
    return FIELD.sub(lambda field: values[field[1]], template)


def _safe(text: str) -> str:
    """A part of a name that leads nowhere else."""
    return _UNSAFE.sub("_", text)[:64]
