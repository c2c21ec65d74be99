"""What exchange needs of the header of a message: for the log, for duplicates, for how it is answered."""

from typing import Final

from msgspec import Struct

from insigne.hl7 import Message


class Heading(Struct, frozen=True, array_like=True):
    """MSH, as `MessageRecord` keeps it; another process may have read it (`exchange.elsewhere`).

    sender: ``MSH-3.1|MSH-4.1``, the part of the duplicate key that goes with `control_id` (MSH-10). code: MSH-9.1.
    event: ``MSH-9.1^MSH-9.2``. version: MSH-12 as received, national extension included. charset: declared, or
    "declared>effective" when the message could be read. accept, application: MSH-15 and MSH-16, by which the enhanced
    mode is asked for.
    """

    sender: str
    code: str
    event: str
    control_id: str
    version: str
    charset: str
    accept: str = ""
    application: str = ""

    @property
    def trigger(self) -> str:
        """MSH-9.2."""
        return self.event[len(self.code) + 1 :]


#: Of bytes in which no header can be read.
UNKNOWN: Final = Heading("", "", "", "", "", "")


def heading_of(message: Message | None, *, readable: bool = True) -> Heading:
    """The heading of a message; `readable`: its character set is the one it was read in, not only what it declares."""
    if message is None:
        return UNKNOWN
    code, declared = message.message_code, message.declared_charset
    accept = application = ""
    if message.header_field(15) or message.header_field(16):  # few messages
        accept, application = message.value("MSH-15"), message.value("MSH-16")
    return Heading(
        f"{message.sending_application}|{message.sending_facility}",
        code,
        f"{code}^{message.trigger}",
        message.control_id,
        message.header_field(12),
        f"{declared}>{message.charset}" if readable else declared,
        accept,
        application,
    )
