"""`identity record-proof --copy` and `identity proof-copy`: kept encrypted, read by few, erased in time."""

import errno
import io
import json
import os

import pytest

from insigne.cli import identity_copies
from insigne.store import open_store
from insigne.store.purge import purge

from .conftest import status_of

PNG = b"\x89PNG\r\n\x1a\n carte de ZOE ADRUN"


@pytest.fixture
def site(desk, tmp_path):
    """A desk with a key, and a document."""
    (tmp_path / "copies.key").write_text("5a" * 32 + "\n")
    (tmp_path / "piece.png").write_bytes(PNG)
    desk.configure(f'[proof]\ncopy_key_file = "{tmp_path / "copies.key"}"\ncopy_max_bytes = 1000')
    desk.piece, desk.key = tmp_path / "piece.png", tmp_path / "copies.key"
    return desk


def proven(site):
    identity = site.create()
    patient, _ = site.act("identity", "record-proof", identity, "--type", "CN", "--copy", site.piece)
    assert status_of(patient) == "VALI"
    return identity


def read(site, identity, name="out.png", **options):
    out = site.piece.with_name(name)
    return site.act("identity", "proof-copy", identity, out, **options), out


def test_a_copy_is_kept_encrypted_and_read_by_who_has_the_right_which_is_audited(site):
    identity = proven(site)
    [proof] = [line for line in site.lines("identity", "history", identity) if line["event"] == "proof-recorded"]
    (told, _), out = read(site, identity)
    assert out.read_bytes() == PNG
    assert out.stat().st_mode & 0o077 == 0
    assert (told["copy"], told["document"], told["media"]) == (
        proof["after"]["proof"]["proof"]["copy"],
        "CN",
        "image/png",
    )
    assert b"ZOE ADRUN" not in (site.folder / "insigne.db").read_bytes()
    store = open_store(f"sqlite:///{site.folder / 'insigne.db'}")
    with store.read() as view:
        acts = [entry for _, entry in view.acts()]
        copies = view.copies_of(identity)
    store.close()
    assert [(act.author, act.object) for act in acts if act.act == "proof-copy-read"] == [("user:claire", told["copy"])]
    assert [copy.expires.year - copy.created.year for copy in copies] == [5]


@pytest.mark.parametrize("user", ["adele", "quentin"])
def test_who_has_not_the_right_reads_no_copy(site, user):
    identity = proven(site)
    (_, said), out = read(site, identity, user=user, status=2)
    assert "document.read" in said
    assert not out.exists()


def test_an_existing_file_is_not_written_over(site):
    identity = proven(site)
    (_, said), _ = read(site, identity, name=site.piece.name, status=2)
    assert "name a new file" in said
    assert site.piece.read_bytes() == PNG


def test_a_full_disk_leaves_no_part_of_a_document_in_the_clear(site, monkeypatch):
    identity = proven(site)

    class Full(io.FileIO):
        def write(self, content):
            super().write(content[:4])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(identity_copies.os, "fdopen", Full)
        (_, said), out = read(site, identity, status=2)
    assert "No space left" in said
    assert not out.exists()


def test_a_copy_is_erased_when_its_time_is_over_and_never_before(site):
    identity = proven(site)
    store = open_store(f"sqlite:///{site.folder / 'insigne.db'}", wait=5)
    assert purge(store, "x", copies_until="2026-01-01T00:00:00.000Z")["copies"] == 0
    assert purge(store, "x", copies_until="2099-01-01T00:00:00.000Z")["copies"] == 1
    store.close()
    (_, said), _ = read(site, identity, status=1)
    assert "no copy" in said
    verified = site.run("db", "verify", "--json")
    assert json.loads(verified.out)["problems"] == []


def test_without_a_key_nothing_is_kept_nor_recorded(site):
    identity = site.create()
    for text, told in (("", "openssl rand"), ("zz", "openssl rand")):
        site.key.write_text(text)
        _, said = site.act("identity", "record-proof", identity, "--type", "CN", "--copy", site.piece, status=2)
        assert "proof.copy_key_file" in said
        assert told in said or "at least" in said
    site.key.unlink()
    _, said = site.act("identity", "record-proof", identity, "--type", "CN", "--copy", site.piece, status=2)
    assert str(site.key) in said
    site.configure()
    _, said = site.act("identity", "record-proof", identity, "--type", "CN", "--copy", site.piece, status=2)
    assert "proof.copy_key_file is not set" in said
    assert "proof-recorded" not in site.events(identity)


def test_what_is_no_document_or_too_large_is_refused_before_anything_is_recorded(site):
    identity = site.create()
    for content, told in ((b"GIF89a", "JPEG, PNG"), (PNG * 100, "proof.copy_max_bytes")):
        site.piece.write_bytes(content)
        _, said = site.act("identity", "record-proof", identity, "--type", "CN", "--copy", site.piece, status=2)
        assert told in said
    assert "proof-recorded" not in site.events(identity)


def test_a_purge_erases_what_has_expired_even_when_nothing_else_has_a_limit(site):
    proven(site)
    counted = site.run("purge", "--dry-run", "--json")
    assert json.loads(counted.out)["checked"]["copies"] == 0
    assert site.run("purge", "--json").status == 0
