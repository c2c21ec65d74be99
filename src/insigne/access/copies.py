"""Copies of identity documents: encrypted under a key of the site, readable by few, erased when they have served.

The RNIV lets a copy be kept with the proof for five years at most (DMN INS 46). The key is not in the base: who holds
the base alone, or a backup of it, reads no document.
"""

import re
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from insigne.access.document_copy import DocumentCopy

NONCE_BYTES: Final = 12
"""Random bytes given to `Vault.seal`, never twice the same under one key (NIST SP 800-38D)."""

_KEY: Final = re.compile(r"[0-9A-Fa-f]{64}")
_MEDIA: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"%PDF-": "application/pdf"}
"""What a document may be, by its first bytes."""

EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}


class CopyError(Exception):
    """A copy that cannot be kept or read. The text names what is wrong and the remedy."""


class Vault:
    """Encrypts with AES-256-GCM under one key, the identity and the id of the copy being authenticated with it.

    `key` is a text of 64 hexadecimal digits. Raises CopyError for another.
    """

    def __init__(self, key: str) -> None:
        if not _KEY.fullmatch(key):
            raise CopyError("the key has 64 hexadecimal digits: make one with `openssl rand -hex 32`")
        secret = bytes.fromhex(key)
        self._cipher = AESGCM(secret)
        self.name = sha256(b"insigne copies" + secret).hexdigest()[:16]

    def seal(self, content: bytes, identity: str, copy_id: str, nonce: bytes) -> bytes:
        """Return what is kept of a document. `nonce`: NONCE_BYTES random bytes."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
        return nonce + self._cipher.encrypt(nonce, content, _about(identity, copy_id))

    def open(self, copy: DocumentCopy) -> bytes:
        """Return the document. Raises CopyError: erased, encrypted with another key, or altered."""
        if copy.content is None:
            raise CopyError(f"the copy {copy.id} was erased: it was kept until {copy.expires:%Y-%m-%d}")
        if copy.vault != self.name:
            raise CopyError(f"the copy {copy.id} was encrypted with the key {copy.vault}, this one is {self.name}")
        nonce, sealed = copy.content[:NONCE_BYTES], copy.content[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, _about(copy.identity, copy.id))
        except InvalidTag:
            raise CopyError(f"the copy {copy.id} is not what was kept: restore it from a backup") from None


def media_of(content: bytes, most: int) -> str:
    """Return the media type of a document. Raises CopyError when it is empty, larger than `most` bytes, or another."""
    if len(content) > most:
        raise CopyError(f"it is larger than {most} bytes (proof.copy_max_bytes): make the picture smaller")
    for start, media in _MEDIA.items():
        if content.startswith(start):
            return media
    raise CopyError("it is neither JPEG, PNG nor PDF: convert it")


def _about(identity: str, copy_id: str) -> bytes:
    return f"{identity}|{copy_id}".encode()
