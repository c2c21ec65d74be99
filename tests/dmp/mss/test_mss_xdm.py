"""IHE_XDM.zip: what is written, and what is not read."""

import contextlib
import hashlib
import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from insigne.dmp.mss.xdm import Part, XdmError, read, write
from insigne.dmp.settings_mss import XdmSettings

LIMITS = XdmSettings()
LETTER = Part("DOC0001.XML", "Lettre", b"<cda/>")


def written(metadata=b"<lot/>", parts=(LETTER,), title="Lettre de liaison"):
    target = io.BytesIO()
    write(target, metadata, parts, title=title, structure="CHU d’Exemple", product="Insigne")
    return target.getvalue()


def zipped(files, **how):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content, **how)
    return io.BytesIO(target.getvalue())


def test_an_archive_has_the_tree_of_xdm_in_its_order():
    with zipfile.ZipFile(io.BytesIO(written())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "INDEX.HTM",
            "README.TXT",
            "IHE_XDM/SUBSET01/METADATA.XML",
            "IHE_XDM/SUBSET01/DOC0001.XML",
        ]


def test_the_index_is_well_formed_and_leads_to_the_documents():
    with zipfile.ZipFile(io.BytesIO(written(title="Compte rendu <& compagnie>"))) as archive:
        root = etree.fromstring(archive.read("INDEX.HTM"))
    links = root.xpath("//x:a/@href", namespaces={"x": "http://www.w3.org/1999/xhtml"})
    assert links == ["IHE_XDM/SUBSET01/DOC0001.XML", "README.TXT"]
    assert (
        root.xpath("string(//x:title)", namespaces={"x": "http://www.w3.org/1999/xhtml"})
        == "Compte rendu <& compagnie>"
    )


def test_the_same_files_give_the_same_bytes():
    assert written() == written()


@given(st.binary(max_size=200_000), st.binary(max_size=2000))
def test_what_is_written_is_read_back(document, metadata):
    [subset] = read(io.BytesIO(written(metadata, (Part("DOC0001.XML", "x", document),))), LIMITS)
    assert subset.metadata == metadata
    assert subset.file("doc0001.xml") == document


def test_the_hash_of_a_part_is_the_sha1_of_its_bytes():
    assert Part("A.XML", "", b"abc").sha1 == hashlib.sha1(b"abc").hexdigest()


def test_a_name_that_media_cannot_hold_is_refused():
    with pytest.raises(XdmError, match="8 letters"):
        written(parts=(Part("compte-rendu.xml", "", b""),))


def test_several_submission_sets_are_read_each_with_its_files():
    source = zipped(
        [
            ("IHE_XDM/SUBSET02/METADATA.XML", b"two"),
            ("IHE_XDM/SUBSET01/METADATA.XML", b"one"),
            ("IHE_XDM/SUBSET01/DOC0001.XML", b"first"),
            ("IHE_XDM/SUBSET02/DOC0001.XML", b"second"),
        ]
    )
    assert [(s.metadata, s.file("DOC0001.XML")) for s in read(source, LIMITS)] == [
        (b"one", b"first"),
        (b"two", b"second"),
    ]


@pytest.mark.parametrize(
    "name", ["../evil.xml", "/etc/passwd", "IHE_XDM/../../x", "C:\\x.xml", "..\\x.xml", "IHE_XDM//x", "a/./b"]
)
def test_an_entry_that_leads_out_of_the_archive_is_refused(name):
    with pytest.raises(XdmError, match="leads out"):
        read(zipped([("IHE_XDM/SUBSET01/METADATA.XML", b""), (name, b"x")]), LIMITS)


def test_too_many_entries_are_refused_before_any_is_read():
    source = zipped([(f"IHE_XDM/SUBSET01/F{n}.XML", b"") for n in range(201)])
    with pytest.raises(XdmError, match="201 entries"):
        read(source, LIMITS)


def test_a_directory_of_files_beyond_measure_is_not_even_read(monkeypatch):
    source = zipped([(f"IHE_XDM/SUBSET01/F{n}.XML", b"") for n in range(5000)])
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(XdmError, match="directory"):
        read(source, LIMITS)


def test_a_directory_whose_size_is_told_elsewhere_is_not_read_either(monkeypatch):
    archive = zipped([(f"IHE_XDM/SUBSET01/F{n}.XML", b"") for n in range(5000)]).getvalue()
    entries, end = archive[:-22], archive[-22:]
    size, start = (int.from_bytes(end[at : at + 4], "little") for at in (12, 16))
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 5000, 5000, size, start)  # the record of ZIP64
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(entries), 1)
    innocent = end[:12] + (100).to_bytes(4, "little") + end[16:]
    source = io.BytesIO(entries + large + locator + innocent)
    with zipfile.ZipFile(source) as whole:
        assert len(whole.namelist()) == 5000, "an archive as the library reads it"
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(XdmError, match="ZIP64"):
        read(source, LIMITS)


def test_a_compression_that_xdm_has_not_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("IHE_XDM/SUBSET01/METADATA.XML", b"x")
    with pytest.raises(XdmError, match="compressed"):
        read(target, LIMITS)


def test_more_bytes_than_allowed_are_refused_from_what_the_archive_declares():
    source = zipped([("IHE_XDM/SUBSET01/METADATA.XML", b""), ("IHE_XDM/SUBSET01/DOC0001.XML", bytes(2000))])
    with pytest.raises(XdmError, match="more than 1000 bytes"):
        read(source, XdmSettings(max_bytes=1000))


def test_a_file_that_grows_out_of_proportion_is_refused():
    source = zipped([("IHE_XDM/SUBSET01/METADATA.XML", b""), ("IHE_XDM/SUBSET01/DOC0001.XML", bytes(20_000_000))])
    with pytest.raises(XdmError, match="out of proportion"):
        read(source, LIMITS)


def test_an_archive_that_lies_about_a_size_is_refused():
    raw = zipped([("IHE_XDM/SUBSET01/METADATA.XML", b"x" * 500)]).getvalue()
    declared = (500).to_bytes(4, "little")
    with pytest.raises(XdmError):
        read(io.BytesIO(raw.replace(declared, (7).to_bytes(4, "little"))), LIMITS)


def test_an_encrypted_archive_is_refused():
    raw = bytearray(zipped([("IHE_XDM/SUBSET01/METADATA.XML", b"x")]).getvalue())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(XdmError, match="encrypted"):
        read(io.BytesIO(bytes(raw)), LIMITS)


def test_a_link_is_refused():
    info = zipfile.ZipInfo("IHE_XDM/SUBSET01/DOC0001.XML")
    info.external_attr = 0o120777 << 16
    with pytest.raises(XdmError, match="link"):
        read(zipped([("IHE_XDM/SUBSET01/METADATA.XML", b""), (info, b"/etc/passwd")]), LIMITS)


def test_two_files_of_one_name_are_refused_whatever_their_capitals():
    with pytest.raises(XdmError, match="one name"):
        read(zipped([("IHE_XDM/SUBSET01/METADATA.XML", b"a"), ("IHE_XDM/SUBSET01/metadata.xml", b"b")]), LIMITS)


def test_an_archive_without_metadata_is_refused():
    with pytest.raises(XdmError, match=r"METADATA\.XML"):
        read(zipped([("IHE_XDM/SUBSET01/DOC0001.XML", b"a")]), LIMITS)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_no_damage_ends_in_another_error(noise, at):
    raw = written()
    damaged = raw[:at] + noise + raw[at + len(noise) :]
    with contextlib.suppress(XdmError):
        read(io.BytesIO(damaged), LIMITS)
