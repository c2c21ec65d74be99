"""What is kept of a copy of an identity document; `copies` encrypts and reads it."""

from datetime import datetime

from msgspec import Struct


class DocumentCopy(Struct, frozen=True, kw_only=True):
    """A copy as kept: the identity it proves, the code of the document, its media type, who recorded it.

    `expires`: when it is to be erased. `vault`: the name of the key it is encrypted with. `content` is encrypted; None
    once erased.
    """

    id: str
    identity: str
    document: str
    media: str
    author: str
    created: datetime
    expires: datetime
    vault: str
    content: bytes | None = None
