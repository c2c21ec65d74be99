import io
from contextlib import suppress

import pikepdf
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from insigne.documents.errors import DocumentError
from insigne.documents.scan import find_symbol
from insigne.documents.settings import SMALLEST_MODULE_MM
from insigne.documents.stamp import StampOptions, stamp


def page(kit, module_mm=0.4):
    out = io.BytesIO()
    stamp(io.BytesIO(kit.blank_pdf()), out, kit.banner(), StampOptions(module_mm=module_mm))
    return out.getvalue()


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def scanned(image, angle, *, blur=0.6, noise=0.1):
    """A page as an office scanner gives it: crooked, soft, grainy, compressed."""
    turned = image.rotate(angle, expand=True, fillcolor=245, resample=Image.Resampling.BICUBIC)
    soft = turned.filter(ImageFilter.GaussianBlur(blur))
    return Image.blend(soft, Image.effect_noise(soft.size, 50), noise)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_symbol_is_read_from_a_scan(kit, kind):
    found = find_symbol(encoded(kit.pixels(page(kit)), kind), 1)
    assert (found.page, found.payload.matricule) == (1, "279035121518989")
    assert found.payload.traits.birth_name == "PAT-TROIS"


def test_a_symbol_is_read_from_a_pdf_on_the_page_it_is_on(kit):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(page(kit))) as pdf, pikepdf.open(io.BytesIO(kit.blank_pdf())) as cover:
        cover.pages.extend(pdf.pages)
        cover.save(out)
    assert find_symbol(out.getvalue(), 2).page == 2
    with pytest.raises(DocumentError, match="1 page"):
        find_symbol(out.getvalue(), 1)


@pytest.mark.parametrize("angle", [-3, 2, 90, 180, 271])
def test_a_skewed_scan_is_read_by_us_and_by_an_independent_reader(kit, angle):
    scan = scanned(kit.pixels(page(kit)), angle)
    assert find_symbol(encoded(scan, "JPEG", quality=60), 1).payload.fields["S4"] == "PAT-TROIS"
    assert kit.dmtx(scan) == [kit.ANS_PATIENT]


def test_the_smallest_printed_size_is_read_from_an_office_scan_by_both_readers(kit):
    """0.25 mm a module: a symbol of 36 modules has a side of 9 mm. 300 dpi give it 3 pixels a module."""
    scan = scanned(kit.pixels(page(kit, SMALLEST_MODULE_MM)), 1.0, blur=0.4, noise=0.05)
    file = encoded(scan, "JPEG", quality=75)
    assert find_symbol(file, 1).payload.fields["S1"] == "279035121518989"
    with Image.open(io.BytesIO(file)) as image:
        assert kit.dmtx(image) == [kit.ANS_PATIENT]


def matrix(text):
    image = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True).to_image(scale=5)
    height, width = image.shape
    return Image.frombytes("L", (width, height), memoryview(image).tobytes())


def side_by_side(*images):
    sheet = Image.new("L", (sum(image.width + 60 for image in images), max(image.height for image in images) + 80), 255)
    left = 30
    for image in images:
        sheet.paste(image, (left, 40))
        left += image.width + 60
    return sheet


def test_other_data_matrix_symbols_are_passed_over(kit):
    sheet = side_by_side(matrix("DC04FR0000011E581E58B201FR"), matrix(kit.ANS_PATIENT))
    assert find_symbol(encoded(sheet), 1).payload.matricule == "279035121518989"
    with pytest.raises(DocumentError) as refusal:
        find_symbol(encoded(side_by_side(matrix("]d2010349312000"))), 1)
    assert refusal.value.rule == "no-symbol"


def test_the_same_symbol_twice_is_one_and_two_patients_are_refused(kit):
    other = kit.ANS_PATIENT.replace("PAT-TROIS", "PAT-QUATRE")
    twice = side_by_side(matrix(kit.ANS_PATIENT), matrix(kit.ANS_PATIENT))
    assert find_symbol(encoded(twice), 1).payload.fields["S4"] == "PAT-TROIS"
    with pytest.raises(DocumentError) as refusal:
        find_symbol(encoded(side_by_side(matrix(kit.ANS_PATIENT), matrix(other))), 1)
    assert refusal.value.rule == "several"


def test_a_payload_against_the_format_is_told_by_its_field(kit):
    written_out = kit.ANS_PATIENT.replace("\x1d", "<GS>")
    with pytest.raises(DocumentError, match="S3") as refusal:
        find_symbol(encoded(side_by_side(matrix(written_out))), 1)
    assert refusal.value.rule == "payload"
    assert "PAT-TROIS" not in str(refusal.value)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"%PDF-1.4 nothing", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff\xe0"]
)
def test_what_cannot_be_read_is_refused_plainly(content):
    with pytest.raises(DocumentError) as refusal:
        find_symbol(content, 1)
    assert refusal.value.rule in ("format", "damaged")


def test_an_image_too_large_is_refused_before_it_is_decoded():
    with pytest.raises(DocumentError) as refusal:
        find_symbol(encoded(Image.new("1", (9000, 9000))), 1)
    assert refusal.value.rule == "pixels"


def test_a_page_of_absurd_size_is_drawn_coarser(kit):
    with pytest.raises(DocumentError) as refusal:
        find_symbol(kit.blank_pdf((14400, 14400)), 1)
    assert refusal.value.rule == "no-symbol"


@settings(max_examples=40)
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG"]))
def test_a_scan_altered_anyhow_is_read_or_refused_never_worse(kit, data, kind):
    content = bytearray(encoded(side_by_side(matrix(kit.ANS_PATIENT)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DocumentError):
        assert find_symbol(bytes(content), 1).payload.matricule
