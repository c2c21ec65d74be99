"""Seals: what makes a change of the past visible. Pure.

Each entry keeps the SHA-256 of its salt and payload; each seal, the SHA-256 of the seal before it, of its own header
and of the header and digest of each of its entries. Erasing a payload with its salt leaves the digests: the chain still
verifies, and nobody can test a guess of what was erased.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

#: What the first seal follows.
GENESIS: Final = bytes(32)
SALT_BYTES: Final = 16

_encode: Final = msgspec.json.Encoder().encode

#: seq, stream, stream id, version, type, time, author, cause kind, cause id.
Header = tuple[int, str, str, int, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Seal:
    """One row of the `seal` table: a batch of entries, chained to the batch before."""

    number: int
    first_seq: int
    last_seq: int
    count: int
    previous: bytes
    digest: bytes
    time: str


def payload_digest(salt: bytes, payload: bytes) -> bytes:
    """What an entry keeps for good of its payload."""
    return sha256(salt + payload).digest()


class Sealing:
    """The digest of a seal in the making: give it the entries in order of seq."""

    def __init__(self, previous: bytes, number: int, time: str) -> None:
        self._chained = sha256(previous)
        self._chained.update(_encode((number, time)))

    def add(self, header: Header, digest: bytes) -> None:
        """Cover one entry: its header and the digest of its payload."""
        self._chained.update(_encode(header))
        self._chained.update(digest)

    def digest(self) -> bytes:
        """The digest over all entries added."""
        return self._chained.digest()
