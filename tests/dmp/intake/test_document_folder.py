"""A watched folder of documents."""

import json
import os
from pathlib import Path

import pytest

from insigne.app.intake import direct_intake
from insigne.dmp.settings_intake import DocumentFolderSettings
from insigne.exchange.errors import StoreBusy
from insigne.transport.document_folder import DocumentFolder
from insigne.transport.folder_files import FolderError

V1 = "1.2.250.1.999.7.1"
PDF = b"%PDF-1.4 letter"
LETTER = {
    "identity": "HOSP|4071",
    "code": "11490-0",
    "title": "Lettre de liaison",
    "time": "2026-03-02T10:15:00+01:00",
    "id": V1,
    "author": {"id": "801234500017", "family": "LEROUX", "organization": {"id": "1140000019", "name": "CH"}},
}


@pytest.fixture
def folder(pfi, tmp_path):
    root = tmp_path / "drop"
    root.mkdir()
    settings = DocumentFolderSettings(name="scans", path=str(root), empty_seconds=60, max_bytes=1000)
    watched = DocumentFolder(settings, direct_intake(pfi.store, pfi.rules), lambda: watched.now)
    watched.prepare()
    watched.root, watched.now = root, 0.0
    return watched


def drop(folder, name, content, description=None, suffix=".json"):
    (folder.root / name).write_bytes(content)
    if description is not None:
        (folder.root / f"{name}{suffix}").write_text(json.dumps(description))


def names(folder, sub):
    return sorted(path.name for path in (folder.root / sub).iterdir())


def look_twice(folder):
    folder.poll()
    folder.poll()


def test_a_document_and_its_description_are_taken_and_put_away(pfi, folder):
    drop(folder, "letter.pdf", PDF, LETTER)
    folder.poll()
    assert pfi.documents() == []  # somebody may still be writing
    folder.poll()
    [document] = pfi.documents()
    assert (document.source, document.unique_id) == ("folder:scans", V1)
    assert names(folder, "archive") == ["letter.pdf", "letter.pdf.json"]


def test_a_description_may_be_named_without_the_extension_of_its_document(pfi, folder):
    (folder.root / "cr.xml").write_bytes(pfi.cda())
    (folder.root / "cr.toml").write_text('identity = "HOSP|4071"\n')
    folder._settings = DocumentFolderSettings(name="scans", path=str(folder.root))
    look_twice(folder)
    assert [one.unique_id for one in pfi.documents()] == [V1]


def test_a_document_still_being_written_waits(pfi, folder):
    drop(folder, "letter.pdf", PDF, LETTER)
    folder.poll()
    (folder.root / "letter.pdf").write_bytes(PDF + b" more")
    folder.poll()
    assert pfi.documents() == []
    folder.poll()
    assert len(pfi.documents()) == 1


def test_a_document_without_description_and_a_temporary_file_wait(pfi, folder):
    drop(folder, "letter.pdf", PDF)
    drop(folder, "other.pdf.part", PDF, LETTER)
    look_twice(folder)
    assert pfi.documents() == []
    assert names(folder, "error") == []


@pytest.mark.parametrize(
    ("content", "description", "code"),
    [
        (PDF, {**LETTER, "identity": "HOSP|9999"}, "902"),
        (PDF, {**LETTER, "colour": "blue"}, "906"),
        (PDF + b"0" * 2000, LETTER, "906"),
    ],
    ids=["unknown patient", "unknown key", "too large"],
)
def test_a_refused_document_is_put_apart_with_the_reason(pfi, folder, content, description, code):
    drop(folder, "letter.pdf", content, description)
    look_twice(folder)
    assert pfi.documents() == []
    assert names(folder, "error") == ["letter.pdf", "letter.pdf.json", "letter.pdf.reason.txt"]
    assert (folder.root / "error" / "letter.pdf.reason.txt").read_text().startswith(code)


@pytest.mark.parametrize("empty", ["letter.pdf", "letter.pdf.json"])
def test_a_file_that_is_empty_is_about_to_be_written(pfi, folder, empty):
    drop(folder, "letter.pdf", PDF, LETTER)
    written = (folder.root / empty).read_bytes()
    (folder.root / empty).write_bytes(b"")
    look_twice(folder)
    folder.now = 59.0
    folder.poll()
    assert (names(folder, "error"), pfi.documents()) == ([], [])
    (folder.root / empty).write_bytes(written)
    folder.now = 90.0
    look_twice(folder)
    assert [one.unique_id for one in pfi.documents()] == [V1]
    assert names(folder, "archive") == ["letter.pdf", "letter.pdf.json"]


@pytest.mark.parametrize("empty", ["letter.pdf", "letter.pdf.json"])
def test_a_document_of_which_a_file_stays_empty_is_refused_and_said(pfi, folder, empty):
    drop(folder, "letter.pdf", PDF, LETTER)
    (folder.root / empty).write_bytes(b"")
    folder.poll()
    folder.now = 60.0
    folder.poll()
    assert (pfi.documents(), folder.refused) == ([], 1)
    assert names(folder, "error") == ["letter.pdf", "letter.pdf.json", "letter.pdf.reason.txt"]
    assert (folder.root / "error" / "letter.pdf.reason.txt").read_text().startswith("906")


def test_an_empty_document_made_again_is_waited_for_again(folder):
    drop(folder, "letter.pdf", b"", LETTER)
    look_twice(folder)
    folder.now = 59.0
    os.utime(folder.root / "letter.pdf", (1_000_000_000,) * 2)
    folder.poll()
    folder.now = 118.0
    folder.poll()
    assert names(folder, "error") == []
    folder.now = 119.0
    folder.poll()
    assert names(folder, "error") != []


def test_a_deletion_is_a_description_alone(pfi, folder):
    drop(folder, "letter.pdf", PDF, LETTER)
    look_twice(folder)
    told = {"identity": "HOSP|4071", "sending": {"intent": "delete", "unique_id": V1}}
    (folder.root / "letter.delete.json").write_text(json.dumps(told))
    look_twice(folder)
    assert pfi.documents()[-1].parent == V1
    assert names(folder, "archive") == ["letter.delete.json", "letter.pdf", "letter.pdf.json"]


def test_a_name_used_again_keeps_both(pfi, folder):
    for number in (1, 2):
        drop(folder, "letter.pdf", PDF, {**LETTER, "id": f"1.2.250.1.999.7.{number}"})
        look_twice(folder)
    assert len(pfi.documents()) == 2
    assert names(folder, "archive") == ["letter.1.pdf", "letter.pdf", "letter.pdf.1.json", "letter.pdf.json"]


def test_a_document_waits_while_the_base_does_not_answer(pfi, folder):
    able = folder._intake

    class Busy:
        def submit(self, submission):
            raise StoreBusy("somebody writes")

    drop(folder, "letter.pdf", PDF, LETTER)
    folder._intake = Busy()
    look_twice(folder)
    assert names(folder, "error") == []
    folder._intake = able
    folder.poll()
    assert len(pfi.documents()) == 1


def test_a_crash_while_a_pair_is_put_away_leaves_no_description_to_the_next_document(pfi, folder, monkeypatch):
    drop(folder, "letter.pdf", PDF, LETTER)
    moved = []

    def cut(path, target):
        moved.append(path.name)
        if len(moved) > 1:
            raise OSError(5, "cut")
        return rename(path, target)

    rename = Path.replace
    monkeypatch.setattr(Path, "replace", cut)
    look_twice(folder)
    monkeypatch.undo()
    drop(folder, "letter.pdf", b"%PDF-1.4 of somebody else")
    look_twice(folder)
    assert len(pfi.documents()) == 1
    assert names(folder, "archive") == ["letter.pdf.json"]


def test_files_that_cannot_be_read_bar_no_other(pfi, folder, monkeypatch):
    drop(folder, "barred.pdf", PDF, LETTER)
    drop(folder, "letter.pdf", PDF, LETTER)
    opened = Path.open

    def barred(path, *args, **options):
        if path.name == "barred.pdf.json":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", barred)
    look_twice(folder)
    assert len(pfi.documents()) == 1
    assert (folder.root / "barred.pdf").exists()
    assert names(folder, "archive") == ["letter.pdf", "letter.pdf.json"]


def test_a_pair_written_again_while_it_is_read_is_not_taken_as_it_was(pfi, folder, monkeypatch):
    drop(folder, "letter.pdf", PDF, LETTER)
    read = folder._body
    new = b"%PDF-1.4 of somebody else, with a description still to come"

    def slowly(document):
        body = read(document)
        document.write_bytes(new)
        return body

    monkeypatch.setattr(folder, "_body", slowly)
    look_twice(folder)
    assert pfi.documents() == []
    assert (folder.root / "letter.pdf").read_bytes() == new


def test_a_document_of_the_same_name_that_comes_while_one_is_taken_stays(pfi, folder):
    able = folder._intake
    new = b"%PDF-1.4 the next letter"

    class Slow:
        def submit(self, submission):
            taken = able.submit(submission)
            (folder.root / "letter.pdf").write_bytes(new)
            return taken

    drop(folder, "letter.pdf", PDF, LETTER)
    folder._intake = Slow()
    look_twice(folder)
    assert len(pfi.documents()) == 1
    assert (folder.root / "letter.pdf").read_bytes() == new
    assert names(folder, "archive") == ["letter.pdf.json"]


def test_what_a_crash_left_is_handed_in_again_and_changes_nothing(pfi, folder):
    for _ in range(2):
        drop(folder, "letter.pdf", PDF, LETTER)
        look_twice(folder)
    assert len(pfi.documents()) == 1


def test_a_folder_that_is_not_there_is_said(pfi, tmp_path):
    missing = DocumentFolderSettings(name="scans", path=str(tmp_path / "nowhere"))
    with pytest.raises(FolderError, match="nowhere"):
        DocumentFolder(missing, direct_intake(pfi.store, pfi.rules)).prepare()
