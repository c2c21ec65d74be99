import io
import re

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from insigne.documents.entitlement import NotEntitledError
from insigne.documents.label import symbol_pdf
from insigne.documents.symbol import QUIET_MODULES, payload_of, symbol_of
from insigne.ins.datamatrix import read_payload, write_payload
from insigne.ins.traits import StrictTraits
from insigne.registry.values import Collection, Details, Ins

COMPLETED = Details(collection=Collection(birth_date_corrected="Y"))
NAMES = st.from_regex(r"[A-Z]{1,20}(?:[ '-][A-Z]{1,20}){0,3}", fullmatch=True)


def drawn(symbol, pixels=6) -> Image.Image:
    """The symbol drawn here from its runs, so that they are what is tested."""
    image = Image.new("L", (symbol.side * pixels, symbol.side * pixels), 255)
    draw = ImageDraw.Draw(image)
    for x, y, length in symbol.runs():
        draw.rectangle((x * pixels, y * pixels, (x + length) * pixels - 1, (y + 1) * pixels - 1), fill=0)
    return image


def test_the_test_patient_of_the_ans_has_the_payload_of_the_ans(kit):
    assert payload_of(kit.person(), "test") == kit.ANS_PATIENT


def test_the_symbol_is_a_square_with_a_quiet_zone_that_another_reader_reads(kit):
    symbol = symbol_of(kit.ANS_PATIENT)
    assert len(symbol.rows) == len(symbol.rows[0]) == 36
    assert symbol.side == 36 + 2 * QUIET_MODULES
    assert kit.dmtx(drawn(symbol)) == [kit.ANS_PATIENT]


@given(
    given_names=NAMES,
    birth_name=NAMES,
    sex=st.sampled_from("FM"),
    date=st.dates().map("{:%Y%m%d}".format).filter(lambda text: len(text) == 8),
    place=st.sampled_from(["", "51215", "2A004", "99350"]),
)
def test_what_is_drawn_is_read_back(given_names, birth_name, sex, date, place):
    traits = StrictTraits(birth_name=birth_name, given_names=given_names, birth_date=date, sex=sex, birth_place=place)
    payload = write_payload(traits, "279035121518989", "1.2.250.1.213.1.4.8")
    found = zxingcpp.read_barcodes(drawn(symbol_of(payload)), is_pure=True)
    assert [code.bytes.decode("ascii") for code in found] == [payload]
    assert read_payload(payload).traits == traits


def test_the_longest_payload_makes_a_square_that_is_read(kit):
    longest = StrictTraits(
        birth_name="ABCDEFGHIJ" * 10, given_names="JIHGFEDCBA" * 10, birth_date="19790328", sex="F", birth_place="51215"
    )
    payload = write_payload(longest, "279035121518989", "1.2.250.1.213.1.4.10")
    symbol = symbol_of(payload)
    assert len(symbol.rows) == len(symbol.rows[0])
    assert kit.dmtx(drawn(symbol)) == [payload]


def test_the_svg_says_its_printed_size_and_its_caption(kit):
    text = symbol_of(kit.ANS_PATIENT).svg(0.5).decode()
    assert 'width="20.00mm"' in text  # 36 modules and two of quiet zone on each side, at 0.5 mm
    assert "INS à scanner" in text


def test_the_path_of_the_svg_is_the_symbol(kit):
    symbol = symbol_of(kit.ANS_PATIENT)
    path = re.search(r'd="(M[^"]*z)"/><text', symbol.svg(0.5).decode())[1]
    image = Image.new("L", (symbol.side * 6, symbol.side * 6), 255)
    draw = ImageDraw.Draw(image)
    for x, y, length in (map(int, run) for run in re.findall(r"M(\d+) (\d+)h(\d+)", path)):
        draw.rectangle((x * 6, y * 6, (x + length) * 6 - 1, y * 6 + 5), fill=0)
    assert kit.dmtx(image) == [kit.ANS_PATIENT]


def test_the_png_says_its_printed_size_and_is_read(kit):
    with Image.open(io.BytesIO(symbol_of(kit.ANS_PATIENT).png(0.4))) as image:
        millimetres = image.width / image.info["dpi"][0] * 25.4
        assert millimetres == pytest.approx(40 * 0.4, abs=0.05)
        assert kit.dmtx(image.convert("L")) == [kit.ANS_PATIENT]


def test_the_pdf_of_a_symbol_is_vector_and_has_its_printed_size(kit):
    pdf = symbol_pdf(kit.ANS_PATIENT, 0.4)
    document = pypdfium2.PdfDocument(pdf)
    assert document[0].get_width() / 72 * 25.4 == pytest.approx(40 * 0.4, abs=0.2)
    assert not [found for found in document[0].get_objects() if found.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    document.close()
    assert kit.dmtx(kit.pixels(pdf)) == [kit.ANS_PATIENT]
    assert "INS à scanner" in kit.words(pdf)


@pytest.mark.parametrize(
    ("changes", "rule", "words"),
    [
        ({"ins": None, "checked": False}, "not-qualified", "PROV"),
        ({"checked": False}, "not-qualified", "RECUP"),
        ({"ins": None}, "not-qualified", "VALI"),
        ({"contested": True}, "contested", "another identity"),
        ({"merged_into": "01JOTHER"}, "merged", "merged"),
        ({"attributes": ("DOUT",)}, "attribute", "doubtful or fictitious"),
        ({"attributes": ("FICT",), "ins": None, "checked": False}, "attribute", "lifted"),
        ({"attributes": ("DOUT", "HOMA")}, "attribute", "lifted"),
        ({"details": COMPLETED}, "birth-date-completed", "ZFD-4"),
        ({"sex": "I"}, "traits", "S5"),
        ({"birth_date": "197903"}, "traits", "S6"),
    ],
)
def test_no_symbol_without_a_qualified_identity_and_the_reason_is_said(kit, changes, rule, words):
    with pytest.raises(NotEntitledError, match=words) as refusal:
        payload_of(kit.person(**changes), "test")
    assert refusal.value.rule == rule
    assert "279035121518989" not in str(refusal.value) + refusal.value.message_fr
    assert "PAT-TROIS" not in str(refusal.value) + refusal.value.message_fr


def test_a_test_ins_is_not_printed_in_production(kit):
    with pytest.raises(NotEntitledError) as refusal:
        payload_of(kit.person(), "production")
    assert refusal.value.rule == "oid"
    real = kit.person(ins=Ins("279035121518989", "1.2.250.1.213.1.4.8"))
    assert "S21.2.250.1.213.1.4.8\x1dS3" in payload_of(real, "production")  # 19 characters of 20: GS
