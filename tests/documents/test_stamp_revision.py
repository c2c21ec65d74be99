"""A stamped file is the original, byte for byte, and a revision after it that any reader follows."""

import io
import re

import pikepdf
import pytest

from insigne.documents.label import symbol_pdf
from insigne.documents.stamp import StampOptions, stamp


def stamped(pdf, banner, **options):
    out = io.BytesIO()
    stamp(io.BytesIO(pdf), out, banner, StampOptions(**options))
    return out.getvalue()


def spotless(pdf):
    """Whether a reader that forgives nothing finds every object and every offset right."""
    with pikepdf.open(io.BytesIO(pdf), attempt_recovery=False, suppress_warnings=True) as document:
        return [*document.check_pdf_syntax(), *document.get_warnings()] == []


def assembled(*bodies, size=None, generation=0):
    """A PDF written by hand; `generation` is that of its third object, a page."""
    out, places = b"%PDF-1.5\n", []
    for number, body in enumerate(bodies, 1):
        places.append((len(out), generation if number == 3 else 0))
        out += b"%d %d obj\n%s\nendobj\n" % (number, places[-1][1], body)
    rows = b"".join(b"%010d %05d n \n" % place for place in places)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(bodies) + 1, rows)
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size or len(bodies) + 1, len(out))
    return out + table + trailer


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
CONTENT = b"<</Length 3>>\nstream\nq Q\nendstream"
FONT = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"linearize": True},
        {"linearize": True, "object_stream_mode": pikepdf.ObjectStreamMode.generate},
    ],
    ids=["table", "streams", "linearized", "linearized-streams"],
)
@pytest.mark.parametrize("options", [{}, {"pages": "all"}, {"cover": True}], ids=["first", "all", "cover"])
def test_the_original_is_kept_byte_for_byte_before_what_is_added(kit, form, options):
    with pikepdf.open(io.BytesIO(kit.blank_pdf((595, 842), (400, 842)))) as pdf:
        original = kit.saved(pdf, **form)
    out = stamped(original, kit.banner(), **options)
    assert out.startswith(original)
    assert spotless(out)
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]
    assert all("Compte rendu" in kit.words(out, page) for page in range(2))


def test_the_sections_of_a_file_stay_of_one_kind(kit):
    """Older readers, and PDF/A-1, know tables alone; a table after a stream is out of the standard."""
    table = kit.blank_pdf()
    with pikepdf.open(io.BytesIO(table)) as pdf:
        streams = kit.saved(pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"/XRef" not in stamped(table, kit.banner())[len(table) :]
    added = stamped(streams, kit.banner())[len(streams) :]
    assert b"/XRef" in added
    assert b"trailer" not in added


def test_a_file_that_has_revisions_gets_one_more(kit):
    first = stamped(kit.blank_pdf((595, 842), (595, 842)), kit.banner())
    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert len(pdf.pages) == 2
        del pdf.pages[0]
        second = kit.saved(pdf)
    out = stamped(second, kit.banner())
    assert out.startswith(second)
    assert spotless(out)


def test_a_file_keeps_its_permanent_identifier_and_says_that_it_changed(kit):
    original = kit.blank_pdf()
    with (
        pikepdf.open(io.BytesIO(original)) as before,
        pikepdf.open(io.BytesIO(stamped(original, kit.banner()))) as after,
    ):
        assert after.trailer.ID[0] == before.trailer.ID[0]
        assert after.trailer.ID[1] != before.trailer.ID[1]


@pytest.mark.parametrize("generation", [0, 7])
def test_what_a_page_inherits_stays_and_its_number_too(kit, generation):
    page = b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>"
    above = b"<</Type/Pages/Kids[3 %d R]/Count 1/MediaBox[0 0 595 842]/Rotate 90/Resources%s>>" % (generation, FONT)
    content = b"<</Length 32>>\nstream\nBT /F 14 Tf 50 50 Td (Abc) Tj ET  \nendstream"
    original = assembled(CATALOG, above, page, content, generation=generation)
    for cover in (False, True):
        out = stamped(original, kit.banner(), cover=cover)
        assert out.startswith(original)
        assert spotless(out)
        assert "Abc" in kit.words(out)
        assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]
        with pikepdf.open(io.BytesIO(out)) as pdf:
            assert pdf.pages[0].obj.objgen == (3, generation)
            assert pdf.pages[0].rotation == 90


@pytest.mark.parametrize(
    "original",
    [
        assembled(CATALOG, b"<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>", b"<</Type/Page/Parent 2 0 R/Contents 4 0 R"
                  b"/MediaBox[0 0 595 842]/Resources<<>>>>", CONTENT),
        assembled(CATALOG, b"<</Type/Pages/Kids[<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>]"
                  b"/Count 1>>", b"<<>>", CONTENT),
        assembled(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/Contents 4 0 R"
                  b"/MediaBox[0 0 595 842]/Resources<<>>>>", CONTENT, size=3),
    ],
    ids=["one page twice", "page without number", "wrong count of objects"],
)  # fmt: skip
def test_a_file_read_with_indulgence_is_written_anew(kit, original):
    out = stamped(original, kit.banner())
    assert not out.startswith(original)
    assert spotless(out)
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]


def test_a_file_of_an_older_version_is_written_anew(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        old = kit.saved(pdf, min_version="", force_version="1.3")
    out = stamped(old, kit.banner())
    assert out.startswith(b"%PDF-1.4")
    assert spotless(out)


def test_a_file_after_other_bytes_is_written_anew(kit):
    out = stamped(b"From: dpi\r\n\r\n" + kit.blank_pdf(), kit.banner())
    assert out.startswith(b"%PDF-")
    assert spotless(out)
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]


def test_a_signature_given_up_is_nowhere_in_the_file(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        signature = pikepdf.Dictionary(Type=pikepdf.Name.Sig, ByteRange=[0, 1, 2, 3], Contents=pikepdf.String("00"))
        field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String("a"), V=pdf.make_indirect(signature))
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([pdf.make_indirect(field)]), SigFlags=3)
        signed = kit.saved(pdf)
    out = stamped(signed, kit.banner(), drop_signatures=True)
    assert b"ByteRange" not in out
    assert spotless(out)


def test_a_label_is_a_spotless_file(kit):
    pdf = symbol_pdf(kit.ANS_PATIENT, 0.4)
    assert spotless(pdf)
    assert re.search(rb"/ID\[<([0-9a-f]{32})><\1>\]", pdf)
