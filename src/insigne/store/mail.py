"""What was read of boxes (`dmp.mss.mails`), as rows."""

from typing import Final, NamedTuple

import msgspec

from insigne.dmp.mss.mails import Mail, Place, State
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer

_COLUMNS: Final = "id, box, validity, uid, key, message_id, received, kind, state, code, text, address, way"
_PLACE: Final = "SELECT validity, uid FROM mail_place WHERE box = ?"
_PUT_PLACE: Final = (
    "INSERT INTO mail_place (box, validity, uid) VALUES (?, ?, ?)"
    " ON CONFLICT (box) DO UPDATE SET validity = excluded.validity, uid = excluded.uid"
)
_HAS: Final = "SELECT 1 FROM mail WHERE key = ? LIMIT 1"
_PUT: Final = (
    f"INSERT INTO mail ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, code = excluded.code, text = excluded.text,"
    " address = excluded.address, way = excluded.way"
)
_IN: Final = f"SELECT {_COLUMNS} FROM mail WHERE state = ? AND box = ? ORDER BY id LIMIT ?"  # noqa: S608  # no value
_ITEM: Final = "EXISTS (SELECT 1 FROM work_item WHERE open AND work_item.key = 'document-mail|' || mail.id)"
_LISTED: Final = f"SELECT {_COLUMNS}, {_ITEM} FROM mail WHERE 1 = 1"  # noqa: S608  # no value
_ONE: Final = f"{_LISTED} AND id = ?"

#: Mails of which nothing is left to do, read before that moment, that still say whose they were; and what empties one.
#: Its key stays: the same mail, read again, is known.
OLD: Final = (
    "SELECT id FROM mail WHERE received < ? AND id > ? AND (message_id <> '' OR address <> '' OR text <> '')"  # noqa: S608  # no value
    f" AND (state = 'done' OR (state = 'for-people' AND NOT {_ITEM})) ORDER BY id LIMIT ?"
)
ERASE: Final = "UPDATE mail SET message_id = '', address = '', text = '' WHERE id = ?"


class ListedMail(NamedTuple):
    """A mail as it is listed, and whether its work item is open."""

    mail: Mail
    waiting: bool


class MailReader(Reader):
    """Mails, as both transactions and views read them."""

    def mail_place(self, box: str) -> Place | None:
        """See `MailTransaction.mail_place`."""
        found = self.select(_PLACE, (box,))
        return Place(*found[0]) if found else None

    def has_mail(self, key: str) -> bool:
        """See `MailTransaction.has_mail`."""
        return bool(self.select(_HAS, (key,)))

    def mails_in(self, box: str, state: State, limit: int) -> list[Mail]:
        """See `MailTransaction.mails_in`."""
        return [Mail(*row) for row in self.select(_IN, (state, box, limit))]

    def mail(self, mail_id: str) -> ListedMail | None:
        """The mail of that id."""
        found = self.select(_ONE, (mail_id,))
        return _listed(found[0]) if found else None

    def mails(self, state: str = "", box: str = "", limit: int = 100) -> list[ListedMail]:
        """The mails in that state and box, "" for any, newest first."""
        wanted = {" AND state = ?": state, " AND box = ?": box}
        given = {text: value for text, value in wanted.items() if value}
        text = f"{_LISTED}{''.join(given)} ORDER BY id DESC LIMIT ?"
        return [_listed(row) for row in self.select(text, (*given.values(), limit))]


def _listed(row: Row) -> ListedMail:
    *fields, waiting = row
    return ListedMail(Mail(*fields), bool(waiting))


class MailWriter(MailReader, Writer):
    """What a write transaction adds."""

    def put_mail_place(self, box: str, place: Place) -> None:
        """See `MailTransaction.put_mail_place`."""
        self.gather(_PUT_PLACE, [(box, place.validity, place.uid)])

    def put_mail(self, mail: Mail) -> None:
        """See `MailTransaction.put_mail`."""
        self.gather(_PUT, [msgspec.structs.astuple(mail)])
