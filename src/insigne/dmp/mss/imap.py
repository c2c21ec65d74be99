"""A box read by IMAP (RFC 3501): which mails there are after a place, their bytes, a flag for people who look.

Mails are never deleted nor moved: the box stays the record of what came.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from insigne.dmp.mss.connection import MailFault, context_of, fault_of, password_of, port_of
from insigne.dmp.settings_mss import MailboxSettings, ServerSettings

_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d{1,15})")
_SEEN: Final = r"(\Seen)"
_FLAGGED: Final = r"(\Flagged)"


class Session:
    """A folder, open. `validity` is UIDVALIDITY: the numbers mean something as long as it is the same."""

    def __init__(self, connection: imaplib.IMAP4, validity: int) -> None:
        self._connection = connection
        self.validity = validity

    def after(self, uid: int, limit: int) -> list[int]:
        """Return the numbers of the mails after that one, lowest first, at most `limit`."""
        found = self._said(self._connection.uid("SEARCH", f"UID {uid + 1}:*"))
        numbers = sorted(int(number) for line in found if isinstance(line, bytes) for number in line.split())
        return [number for number in numbers if number > uid][:limit]  # `n:*` always gives the last one

    def size(self, uid: int) -> int | None:
        """Return how large a mail is; None when it is not there any more."""
        for part in self._said(self._connection.uid("FETCH", str(uid), "(RFC822.SIZE)")):
            line = part[0] if isinstance(part, tuple) else part
            if isinstance(line, bytes) and (found := _SIZE.search(line)):
                return int(found[1])
        return None

    def fetch(self, uid: int, max_bytes: int) -> bytes | None:
        """Return a mail, its start when it is larger than it said, without marking it; None when it is gone."""
        for part in self._said(self._connection.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{max_bytes}>)")):
            if isinstance(part, tuple) and len(part) > 1 and isinstance(part[1], bytes):
                return part[1]
        return None

    def named(self, message_id: str) -> int | None:
        """Return the number of the mail of that Message-ID, the last of them; None when there is none."""
        if not message_id.isascii() or any(character in message_id for character in '"\\\r\n'):
            return None
        found = self._said(self._connection.uid("SEARCH", "HEADER", "Message-ID", f'"{message_id}"'))
        numbers = [int(number) for line in found if isinstance(line, bytes) for number in line.split()]
        return max(numbers, default=None)

    def mark(self, uid: int, *, for_people: bool) -> None:
        """Mark a mail as read, and as one that people must look at. The mark decides nothing here."""
        with suppress(imaplib.IMAP4.error):  # a folder may be read-only
            self._connection.uid("STORE", str(uid), "+FLAGS.SILENT", _SEEN)
            if for_people:
                self._connection.uid("STORE", str(uid), "+FLAGS.SILENT", _FLAGGED)

    @staticmethod
    def _said(answer: tuple[str, list[object]]) -> list[object]:
        status, data = answer
        if status != "OK":
            raise MailFault("malformed", "the server refused to read the folder", status)
        return data


@contextmanager
def opened(box: MailboxSettings) -> Iterator[Session]:
    """Open a folder. Raises MailFault, then and at any reading."""
    settings = box.imap
    connection = None
    try:
        context = context_of(settings)
        connection = _Connection(settings, context)
        if settings.encryption == "starttls":
            connection.starttls(context)
        _login(connection, settings)
        status, _ = connection.select(f'"{box.folder}"')
        validity = connection.response("UIDVALIDITY")[1]
        if status != "OK" or not validity or validity[0] is None:
            raise MailFault("refused", f"{settings.host}: the folder {box.folder} cannot be opened")
        yield Session(connection, int(validity[0]))
    except imaplib.IMAP4.abort as error:
        raise MailFault("unreachable", f"{settings.host} closed the connection") from error
    except imaplib.IMAP4.error as error:
        raise MailFault("malformed", f"{settings.host}: {str(error)[:200]}") from error
    except OSError as error:
        raise fault_of(error, settings.host) from error
    finally:
        if connection is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                connection.logout()


def _login(connection: imaplib.IMAP4, settings: ServerSettings) -> None:
    """Say who we are; by our certificate alone when there is no user (SASL EXTERNAL)."""
    try:
        if settings.user:
            connection.login(settings.user, password_of(settings))
        elif connection.state != "AUTH":
            connection.authenticate("EXTERNAL", lambda _: b"")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise MailFault("login", f"{settings.host} refuses the login") from error


class _Connection(imaplib.IMAP4):
    """A connection whose TLS expects the name of the settings, which the address connected to need not be."""

    def __init__(self, settings: ServerSettings, context: ssl.SSLContext | None) -> None:
        self._name = settings.tls.server_name or settings.host
        self._context = context if settings.encryption == "tls" else None
        super().__init__(settings.host, port_of(settings, "imap"), settings.timeout_seconds)
        self.host = self._name  # the name that `starttls` checks

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # as IMAP4_SSL does
        return plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self._name)
