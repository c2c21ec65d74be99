"""Copies of documents: encrypted, bound to their identity, and told apart by their first bytes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from insigne.access.copies import CopyError, Vault, media_of
from insigne.access.document_copy import DocumentCopy

KEY = "00112233445566778899aabbccddeeff" * 2
NONCE = bytes(range(12))
JPEG = b"\xff\xd8\xff\xe0 une photo"
AT = datetime(2026, 3, 1, tzinfo=UTC)


def kept(content=JPEG, vault=None):
    vault = vault or Vault(KEY)
    sealed = vault.seal(content, "P1", "C1", NONCE)
    return DocumentCopy(
        id="C1", identity="P1", document="CN", media="image/jpeg", author="user:claire", created=AT, expires=AT,
        vault=vault.name, content=sealed,
    )  # fmt: skip


@given(st.binary(max_size=300))
def test_a_document_comes_back_as_it_was_and_is_not_read_without_the_key(content):
    copy = kept(content)
    assert Vault(KEY).open(copy) == content
    assert len(content) < 4 or content not in copy.content
    with pytest.raises(CopyError, match="encrypted with the key"):
        Vault("1" * 64).open(copy)


@pytest.mark.parametrize("changed", [{"identity": "P2"}, {"id": "C2"}, {"content": kept().content[:-1] + b"\0"}])
def test_a_copy_moved_to_somebody_else_or_altered_is_refused(changed):
    with pytest.raises(CopyError, match="not what was kept"):
        Vault(KEY).open(replace(kept(), **changed))


def test_an_erased_copy_says_until_when_it_was_kept():
    with pytest.raises(CopyError, match="2026-03-01"):
        Vault(KEY).open(replace(kept(), content=None))


@pytest.mark.parametrize("key", ["", "abc", "g" * 64, KEY + "\n0"])
def test_a_key_of_another_form_is_refused_with_the_way_to_make_one(key):
    with pytest.raises(CopyError, match="openssl rand"):
        Vault(key)


@pytest.mark.parametrize(
    ("content", "media"),
    [(JPEG, "image/jpeg"), (b"\x89PNG\r\n\x1a\n.", "image/png"), (b"%PDF-1.7", "application/pdf")],
)
def test_what_a_document_may_be(content, media):
    assert media_of(content, 100) == media


@pytest.mark.parametrize(("content", "told"), [(b"", "convert"), (b"GIF89a", "convert"), (JPEG * 20, "copy_max_bytes")])
def test_what_is_no_document_or_too_large_is_refused(content, told):
    with pytest.raises(CopyError, match=told):
        media_of(content, 100)
