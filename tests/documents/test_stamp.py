import io
from contextlib import suppress

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigne.documents.errors import DocumentError
from insigne.documents.pdf import Limits
from insigne.documents.stamp import StampOptions, stamp
from insigne.registry.values import Details

ROTATIONS = (0, 90, 180, 270)


def stamped(pdf, banner, **options):
    out = io.BytesIO()
    done = stamp(io.BytesIO(pdf), out, banner, StampOptions(**options))
    return out.getvalue(), done


def seen(pdf, page=0):
    """Width and height of a page as a reader shows it, in points."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        found = document.pages[page]
        x0, y0, x1, y1 = (float(edge) for edge in found.cropbox)
        unit = float(found.obj.get("/UserUnit", 1))
        size = (abs(x1 - x0) * unit, abs(y1 - y0) * unit)
        return size if found.rotation in (0, 180) else size[::-1]


def test_the_symbol_of_a_stamped_pdf_is_read_by_an_independent_reader(kit):
    out, done = stamped(kit.blank_pdf((595, 842), (595, 842)), kit.banner())
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]
    assert kit.dmtx(kit.pixels(out, page=1)) == []
    assert (done.pages, done.stamped) == (2, 1)


def test_the_words_of_the_banner_can_be_copied(kit):
    out, _ = stamped(kit.blank_pdf(), kit.banner(kit.person(details=Details(used_name="LÉVÊQUE-ŒUF"))))
    text = kit.words(out)
    assert "Nom de naissance : PAT-TROIS" in text
    assert "Matricule INS : 279035121518989 [INS-NIR de test]" in text
    assert "LÉVÊQUE-ŒUF" in text
    assert "Compte rendu" in text


def test_a_letter_the_typeface_lacks_is_written_in_latin_letters(kit):
    out, _ = stamped(kit.blank_pdf(), kit.banner(kit.person(details=Details(used_name="NGUYỄN 阮"))))
    assert "NGUYEN ?" in kit.words(out)


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("position", ["top", "bottom"])
def test_a_strip_is_added_to_the_page_as_it_is_seen_and_covers_nothing(kit, rotation, position):
    pdf = kit.blank_pdf((500, 700), Rotate=rotation)
    out, _ = stamped(pdf, kit.banner(), position=position)
    before, after = kit.pixels(pdf, dpi=150), kit.pixels(out, dpi=150)
    grown = after.height - before.height
    assert after.width == before.width
    assert grown > 100
    top = grown if position == "top" else 0
    kept = after.crop((0, top, after.width, top + before.height))
    assert differing(kept, before) < 0.001 * before.width * before.height  # the same, to the rounding of an edge
    strip = after.crop((0, 0, after.width, grown) if position == "top" else (0, before.height, *after.size))
    assert kit.dmtx(strip.resize((strip.width * 2, strip.height * 2))) == [kit.ANS_PATIENT]


def differing(one, other):
    return sum(abs(a - b) > 60 for a, b in zip(one.tobytes(), other.tobytes(), strict=True))


def test_all_pages_bear_the_banner_when_asked_whatever_their_size(kit):
    pdf = kit.blank_pdf((595, 842), (842, 595), (420, 595))
    out, done = stamped(pdf, kit.banner(), pages="all")
    assert done.stamped == 3
    assert [kit.dmtx(kit.pixels(out, page)) for page in range(3)] == [[kit.ANS_PATIENT]] * 3


def test_pages_that_share_their_resources_are_stamped_each(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf((595, 842), (595, 842)))) as pdf:
        pdf.pages[1].obj.Resources = pdf.pages[0].obj.Resources = pdf.make_indirect(pdf.pages[0].obj.Resources)
        pdf.Root.Pages.Resources = pdf.pages[0].obj.Resources
        del pdf.pages[1].obj["/Resources"]  # inherited
        shared = kit.saved(pdf)
    out, _ = stamped(shared, kit.banner(), pages="all")
    assert all("Compte rendu" in kit.words(out, page) for page in range(2))
    assert kit.dmtx(kit.pixels(out, 1)) == [kit.ANS_PATIENT]


def test_names_of_any_encoding_in_the_resources_are_kept(kit):
    pdf = kit.blank_pdf().replace(b"/F ", b"/\xe9 ").replace(b"/F <<", b"/\xe9 <<")
    out, _ = stamped(pdf, kit.banner(), repair=True)
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]


def test_what_lies_outside_the_visible_page_stays_hidden(kit):
    """Crop marks above the cut edge would otherwise appear in the strip."""
    with pikepdf.open(io.BytesIO(kit.blank_pdf((595, 842)))) as pdf:
        page = pdf.pages[0]
        page.obj.CropBox = [50, 50, 545, 700]
        page.contents_add(b"0 g 0 700 595 142 re f")  # black, cut off
        cropped = kit.saved(pdf)
    out, _ = stamped(cropped, kit.banner())
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]
    assert seen(out)[0] == 495


def test_a_page_that_leaves_its_state_undone_does_not_turn_the_banner(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        pdf.pages[0].contents_add(b"q q 0.1 0 0 0.1 300 300 cm 1 g")
        pdf.pages[0].contents_add(b"Q Q Q Q", prepend=True)
        untidy = kit.saved(pdf)
    for cover in (False, True):
        out, _ = stamped(untidy, kit.banner(), cover=cover)
        assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]


def test_covering_the_page_keeps_its_size_only_when_asked(kit):
    out, _ = stamped(kit.blank_pdf(), kit.banner(), cover=True)
    assert seen(out) == (595, 842)
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]
    with pytest.raises(DocumentError, match="less high"):
        stamped(kit.blank_pdf((595, 40)), kit.banner(), cover=True)


def test_a_page_larger_than_a4_has_a_banner_to_its_scale(kit):
    a0 = kit.blank_pdf((2384, 3370))
    out, _ = stamped(a0, kit.banner())
    assert kit.dmtx(kit.pixels(out, dpi=300 * 842 / 3370)) == [kit.ANS_PATIENT]  # as A4 paper scanned at 300 dpi


def test_a_unit_of_the_user_counts(kit):
    out, _ = stamped(kit.blank_pdf((297.5, 421), UserUnit=2), kit.banner())
    assert kit.dmtx(kit.pixels(out, dpi=600)) == [kit.ANS_PATIENT]  # PDFium draws a unit as a point
    width, height = seen(out)
    assert width == 595
    assert 60 < height - 842 < 110


def test_a_page_too_narrow_is_refused_with_the_width_needed(kit):
    with pytest.raises(DocumentError, match=r"needs \d+ mm"):
        stamped(kit.blank_pdf((100, 300)), kit.banner())


def test_long_names_are_broken_on_several_lines_inside_the_page(kit):
    long = kit.person(
        birth_name="ABCDEFGHIJ" * 10, given_names="JEAN " + "KLMNOPQRST" * 9, details=Details(used_name="W" * 90)
    )
    out, _ = stamped(kit.blank_pdf((300, 400)), kit.banner(long))
    text = "".join(kit.words(out).split())
    assert "ABCDEFGHIJ" * 10 in text
    assert "W" * 90 in text
    image = kit.pixels(out)
    assert image.crop((image.width - 10, 0, *image.size)).getextrema() == (255, 255)  # nothing reaches the edge
    assert len(kit.dmtx(image)) == 1


def test_an_identity_not_qualified_gets_a_banner_without_symbol(kit):
    out, _ = stamped(kit.blank_pdf(), kit.banner(kit.person(checked=False)))
    assert "Nom de naissance : PAT-TROIS" in kit.words(out)
    assert "279035121518989" not in kit.words(out)
    assert b"279035121518989" not in out
    assert kit.dmtx(kit.pixels(out)) == []


def test_forms_metadata_and_attachments_are_kept(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        with pdf.open_metadata() as metadata:
            metadata["dc:title"] = "Compte rendu"
        pdf.attachments["dicom.txt"] = pikepdf.AttachedFileSpec(pdf, b"1.2.3")
        rich = kit.saved(pdf)
    out, _ = stamped(rich, kit.banner())
    with pikepdf.open(io.BytesIO(out)) as pdf:
        assert pdf.open_metadata()["dc:title"] == "Compte rendu"
        assert pdf.attachments["dicom.txt"].get_file().read_bytes() == b"1.2.3"


def test_a_page_is_not_stamped_twice(kit):
    out, _ = stamped(kit.blank_pdf((595, 842), (595, 842)), kit.banner())
    with pytest.raises(DocumentError) as refusal:
        stamped(out, kit.banner())
    assert refusal.value.rule == "stamped"


def test_the_same_document_stamped_again_gives_the_same_bytes(kit):
    pdf = kit.blank_pdf()
    assert stamped(pdf, kit.banner())[0] == stamped(pdf, kit.banner())[0]


def signed_pdf(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        signature = pikepdf.Dictionary(Type=pikepdf.Name.Sig, ByteRange=[0, 1, 2, 3], Contents=pikepdf.String("00"))
        child = pdf.make_indirect(pikepdf.Dictionary(T=pikepdf.String("a"), V=pdf.make_indirect(signature)))
        parent = pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Sig, Kids=pikepdf.Array([child])))
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([parent]), SigFlags=3)
        pdf.Root.Perms = pikepdf.Dictionary(DocMDP=child.V)
        return kit.saved(pdf)


def test_a_file_is_stamped_as_a_stream_is(kit, tmp_path):
    file, out = tmp_path / "in.pdf", io.BytesIO()
    file.write_bytes(kit.blank_pdf())
    stamp(file, out, kit.banner(), StampOptions())
    assert out.getvalue() == stamped(kit.blank_pdf(), kit.banner())[0]
    with pytest.raises(DocumentError, match="max_bytes"):
        stamp(file, out, kit.banner(), StampOptions(limits=Limits(max_bytes=10)))


def test_a_signed_document_is_refused_unless_its_signature_is_given_up(kit):
    with pytest.raises(DocumentError) as refusal:
        stamped(signed_pdf(kit), kit.banner())
    assert refusal.value.rule == "signed"
    out, done = stamped(signed_pdf(kit), kit.banner(), drop_signatures=True)
    assert done.signatures_dropped == 2
    assert b"ByteRange" not in out


@pytest.mark.parametrize(("user", "owner"), [("secret", "secret"), ("", "secret")])
def test_an_encrypted_or_restricted_document_is_refused(kit, user, owner):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        locked = kit.saved(pdf, encryption=pikepdf.Encryption(user=user, owner=owner))
    with pytest.raises(DocumentError) as refusal:
        stamped(locked, kit.banner())
    assert refusal.value.rule == "encrypted"


def test_a_damaged_document_is_refused_and_repaired_only_when_asked(kit):
    damaged = kit.blank_pdf().replace(b"startxref", b"startxxxx")
    with pytest.raises(DocumentError) as refusal:
        stamped(damaged, kit.banner())
    assert refusal.value.rule == "damaged"
    out, _ = stamped(damaged, kit.banner(), repair=True)
    assert kit.dmtx(kit.pixels(out)) == [kit.ANS_PATIENT]


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", b"<html>", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<</Root 1 0 R>>"]
)
@pytest.mark.parametrize("repair", [False, True])
def test_what_is_no_pdf_is_refused(kit, content, repair):
    with pytest.raises(DocumentError) as refusal:
        stamped(content, kit.banner(), repair=repair)
    assert refusal.value.rule in ("damaged", "no-page")


def test_an_xfa_form_and_a_document_without_a_page_are_refused(kit):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), XFA=pikepdf.Array())
        form = kit.saved(pdf)
    for pdf, rule in ((form, "xfa"), (kit.saved(pikepdf.new()), "no-page")):
        with pytest.raises(DocumentError) as refusal:
            stamped(pdf, kit.banner())
        assert refusal.value.rule == rule


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [0, 0, 0.5, 800]])
def test_a_page_without_a_size_is_refused(kit, box):
    with pikepdf.open(io.BytesIO(kit.blank_pdf())) as pdf:
        pdf.pages[0].obj.MediaBox = box
        broken = kit.saved(pdf)
    with pytest.raises(DocumentError, match="size"):
        stamped(broken, kit.banner())


def test_a_document_too_large_or_of_too_many_pages_is_refused(kit):
    pdf = kit.blank_pdf((595, 842), (595, 842))
    for limits, rule in ((Limits(max_bytes=100), "size"), (Limits(max_pages=1), "pages")):
        with pytest.raises(DocumentError) as refusal:
            stamped(pdf, kit.banner(), limits=limits)
        assert refusal.value.rule == rule


@settings(max_examples=60)
@given(st.data())
def test_a_document_altered_anyhow_is_stamped_or_refused_never_worse(kit, data):
    pdf = bytearray(kit.blank_pdf())
    for _ in range(data.draw(st.integers(1, 8))):
        pdf[data.draw(st.integers(0, len(pdf) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DocumentError):
        stamped(bytes(pdf), kit.banner(), repair=data.draw(st.booleans()))


@settings(max_examples=25)
@given(
    width=st.integers(190, 3000),
    height=st.integers(190, 3000),
    x=st.integers(-500, 500),
    y=st.integers(-500, 500),
    rotation=st.sampled_from(ROTATIONS),
    position=st.sampled_from(["top", "bottom"]),
)
def test_any_page_size_origin_and_rotation_has_its_symbol_inside_the_visible_page(
    kit, width, height, x, y, rotation, position
):
    pdf = kit.blank_pdf((width, height), MediaBox=pikepdf.Array([x + width, y, x, y + height]), Rotate=rotation)
    before = seen(pdf)
    out, _ = stamped(pdf, kit.banner(), position=position)
    after = seen(out)
    assert after[0] == pytest.approx(before[0], abs=0.01)
    assert after[1] > before[1] + 50
