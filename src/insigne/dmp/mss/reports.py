"""What boxes answer about a mail of ours: delivery (DSN, RFC 3464), reading (MDN, RFC 8098), a failure told in words.

The volet « Transmission au LPS » (1.1.3) has receivers that asked no MDN told by an ordinary mail whose subject is
`[KO Intégration système !][CODE] XDM/1.0/DDM+…`; its example writes `[Erreur d’intégration !]`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from typing import Final, Literal

from insigne.dmp.mss.mail import header_of, sending_of

Fate = Literal["delivered", "relayed", "delayed", "failed", "read", "processed", "not-read", "not-taken"]
"""DSN: delivered, relayed (to a server that reports nothing further), delayed (tried again), failed.
MDN: read (displayed), processed without being displayed, not-read (deleted), not-taken (error).
"""
Kind = Literal["dsn", "mdn", "ko"]

_DELIVERY: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DISPOSITION: Final = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_REPORTS: Final = _DELIVERY | _DISPOSITION | {"multipart/report"}
_DSN: Final = {
    "delivered": "delivered",
    "relayed": "relayed",
    "expanded": "delivered",
    "delayed": "delayed",
    "failed": "failed",
}
_MDN: Final = {"displayed": "read", "dispatched": "processed", "processed": "processed", "deleted": "not-read"}
_KO: Final = re.compile(r"\s*\[(?:KO\b[^\]]*|Erreur[^\]]*)\]\s*(?:\[\s*([^\]\s]{1,20})\s*\])?", re.IGNORECASE)
_FAILING: Final = frozenset({"error", "failure"})
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a mail of ours for one recipient, or for all when none is named.

    `sending` is the one it is about. `named`: the original recipient, then the final one, as far as they are said.
    `code`: the status of RFC 3463 (`5.1.1`), or the application's (`902`).
    """

    kind: Kind
    sending: str
    fate: Fate
    named: tuple[str, ...] = ()
    code: str = ""
    text: str = ""

    @property
    def recipient(self) -> str:
        """The recipient as it was addressed, "" for none named."""
        return self.named[0] if self.named else ""

    def names(self, address: str) -> bool:
        """Whether the report is of what became of the mail for that box; so it is when no box is named."""
        wanted = address.casefold()
        return not self.named or any(wanted in (one.casefold(), _plain(one).casefold()) for one in self.named)


def reports_of(mail: EmailMessage) -> list[Report]:
    """Return what a mail reports; [] when it is no report, or of no mail of ours."""
    told = header_of(mail, "Content-Type").casefold()
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in _DELIVERY:
            return list(_dsn(mail, part))
        if kind in _DISPOSITION:
            return list(_mdn(mail, part))
        if kind == "message/rfc822" and "multipart/report" not in told:
            break  # what follows is another mail, sent along
    return list(_ko(mail))


def _dsn(mail: EmailMessage, part: Message) -> Iterator[Report]:
    blocks = _blocks(part)
    if not blocks:
        return
    sending = sending_of(header_of(blocks[0], "Original-Envelope-Id")) or _about(mail)
    if not sending:
        return
    for block in blocks[1:] or blocks:
        fate = _DSN.get(header_of(block, "Action").casefold())
        if fate is None:
            continue
        code = header_of(block, "Status").partition(" ")[0]
        text = _typed(header_of(block, "Diagnostic-Code"))
        yield Report("dsn", sending, fate, _named(block), code, text)  # type: ignore[arg-type]  # of the table above


def _mdn(mail: EmailMessage, part: Message) -> Iterator[Report]:
    for block in _blocks(part):
        original = header_of(block, "Original-Message-ID")
        sending = sending_of(original) if original else _about(mail)
        disposition = header_of(block, "Disposition")
        if not sending or not disposition:
            continue
        _, _, kind = disposition.partition(";")
        word, _, modifier = kind.partition("/")
        fate = _MDN.get(word.strip().casefold(), "")
        modifier, _, detail = modifier.partition(":")
        code = text = ""
        if modifier.strip().casefold() in _FAILING or header_of(block, "Error") or header_of(block, "Failure"):
            fate = "not-taken"
            code, text = _application(detail or header_of(block, "Error") or header_of(block, "Failure"))
            code = code or _ko_code(mail)
        if fate:
            yield Report("mdn", sending, fate, _named(block), code, text)  # type: ignore[arg-type]  # of the table above


def _ko(mail: EmailMessage) -> Iterator[Report]:
    if not _KO.match(header_of(mail, "Subject")):
        return
    if sending := _ours([*_returned(mail), *_answered(mail)]):
        yield Report("ko", sending, "not-taken", (), _ko_code(mail), "")


def is_report(mail: EmailMessage) -> bool:
    """Whether a mail is a report, whatever it is about: what it returns is not sent to us."""
    parts = mail.get_payload()
    kinds = {mail.get_content_type()} | {
        one.get_content_type() for one in (parts if isinstance(parts, list) else []) if isinstance(one, Message)
    }
    return not kinds.isdisjoint(_REPORTS)


def is_answer_lost(mail: EmailMessage) -> bool:
    """Whether a delivery report says that an answer of ours did not arrive."""
    for part in mail.walk():
        if part.get_content_type() in _DELIVERY and (blocks := _blocks(part)):
            about = header_of(blocks[0], "Original-Envelope-Id")
            failed = any(header_of(block, "Action").casefold() == "failed" for block in blocks)
            return failed and about.startswith("answer.")
    return False


def is_failure_notice(mail: EmailMessage) -> bool:
    """Whether a mail tells, by its subject, that a document could not be taken."""
    return _KO.match(header_of(mail, "Subject")) is not None


def _ko_code(mail: EmailMessage) -> str:
    found = _KO.match(header_of(mail, "Subject"))
    return (found[1] or "") if found else ""


def _application(detail: str) -> tuple[str, str]:
    """`902^Identifiant de patient inconnu^…|…` → its code, its words."""
    code, _, text = detail.strip().partition("^")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,20}", code.strip()):
        return "", detail.strip()[:_LONGEST]
    return code.strip(), re.split(r"[\^|]", text)[0].strip()[:_LONGEST]


def _about(mail: EmailMessage) -> str:
    """The sending of ours that a report is about: by what it returns of it, else by what it answers."""
    returned = list(_returned(mail))
    return _ours(returned or _answered(mail))


def _ours(message_ids: Iterable[str]) -> str:
    return next((sending for one in message_ids if (sending := sending_of(one))), "")


def _answered(mail: EmailMessage) -> list[str]:
    return [header_of(mail, "In-Reply-To"), *header_of(mail, "References").split()]


def _returned(mail: EmailMessage) -> Iterator[str]:
    """The Message-ID of the mail that is returned, whole or its headers."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            for inner in _inner(part):
                yield header_of(inner, "Message-ID")
        elif kind in ("text/rfc822-headers", "message/global-headers"):
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(part.get_payload())
            yield from re.findall(r"(?im)^message-id:\s*(\S+)", text)


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a report, whichever way the parser kept them."""
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message) and one.keys()] if isinstance(payload, list) else []


def _inner(part: Message) -> Iterable[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _named(block: Message) -> tuple[str, ...]:
    """The recipients that a group of fields names."""
    fields = (header_of(block, "Original-Recipient"), header_of(block, "Final-Recipient"))
    return tuple(one for one in (_typed(value).strip("<>") for value in fields) if one)


def _plain(text: str) -> str:
    """An address that a server left as the parameter ORCPT had it (xtext: RFC 3461, 4)."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), text)


def _typed(value: str) -> str:
    """`rfc822;box@domain` → `box@domain`."""
    kind, semicolon, text = value.partition(";")
    return (text if semicolon else kind).strip()[:_LONGEST]
