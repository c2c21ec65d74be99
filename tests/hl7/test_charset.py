"""Character sets: what MSH-18 declares, what the bytes are, what is configured."""

import pytest

from insigne.hl7 import CharsetPolicy, Hl7Error, Location, Message

NAME = "BRÛLÉ"
# HL7 table 0211 as of v2.5, without the four names that are read.
UNSUPPORTED = (
    *(f"8859/{part}" for part in range(2, 10)),
    *("ISO IR6", "ISO IR14", "ISO IR87", "ISO IR159", "GB 18030-2000", "KS X 1001", "CNS 11643-1992", "BIG-5"),
    *("UNICODE", "UNICODE UTF-16", "UNICODE UTF-32", "UTF-8", "utf8", "ISO-8859-1", "1252"),
)


def message(declared: str, encoding: str, name: str = NAME) -> bytes:
    return f"MSH|^~\\&|GAM||||||ADT^A28|C1|P|2.5||||||{declared}\rPID|1||77||{name}\r".encode(encoding)


def codes(read: Message) -> list[str]:
    return [note.code for note in read.notes]


@pytest.mark.parametrize(
    ("declared", "encoding", "codec"),
    [
        ("UNICODE UTF-8", "utf-8", "utf-8"),
        ("8859/1", "latin-1", "iso8859-1"),
        ("8859/15", "iso8859-15", "iso8859-15"),
    ],
)
def test_a_message_is_decoded_as_it_declares(declared, encoding, codec):
    read = Message.parse(message(declared, encoding))
    assert read.value("PID-5") == NAME
    assert (read.declared_charset, read.charset) == (declared, codec)
    assert codes(read) == []


def test_the_euro_sign_tells_8859_15_from_8859_1():
    raw = message("8859/15", "iso8859-15", "CŒUR €")
    assert Message.parse(raw).value("PID-5") == "CŒUR €"
    assert Message.parse(raw.replace(b"8859/15", b"8859/1")).value("PID-5") == "C¼UR ¤"


@pytest.mark.parametrize("declared", ["", "ASCII"])
def test_ascii_is_read_whether_declared_or_not(declared):
    read = Message.parse(message(declared, "ascii", "ORMEAU"))
    assert (read.value("PID-5"), read.charset, codes(read)) == ("ORMEAU", "ascii", [])


@pytest.mark.parametrize("declared", UNSUPPORTED)
def test_any_other_name_is_refused_at_msh_18(declared):
    with pytest.raises(Hl7Error) as caught:
        Message.parse(message(declared, "ascii", "ORMEAU"))
    error = caught.value
    assert (error.ack, error.condition, error.location) == ("AE", "103", Location("MSH", field=18))
    assert "8859/15" in error.text  # the remedy


def test_the_first_repetition_of_msh_18_is_the_character_set():
    raw = message("UNICODE UTF-8~ISO IR87", "utf-8")
    assert Message.parse(raw).declared_charset == "UNICODE UTF-8"
    accented = raw.replace(b"GAM", "GÂM".encode())
    assert Message.parse(accented).declared_charset == "UNICODE UTF-8"


def test_a_byte_that_the_declared_set_lacks_is_refused_with_its_place():
    raw = message("UNICODE UTF-8", "latin-1")
    with pytest.raises(Hl7Error) as caught:
        Message.parse(raw)
    error = caught.value
    assert (error.ack, error.condition) == ("AE", "102")
    assert error.location == Location("PID", field=5)
    assert error.offset == raw.index(b"\xdb")
    assert "BR" not in error.text


@pytest.mark.parametrize(
    ("raw", "location"),
    [
        (b"MSH|^~\\&|G\xc9|||||||||||||||ASCII\r", Location("MSH", field=3)),
        (b"MSH|^~\\&||||||||||||||||ASCII\rZBE|1\rZBE|2|\xc9\r", Location("ZBE", 2, 2)),
        (b"MSH|^~\\&||||||||||||||||ASCII\rZBE|1\rZBE\xc9\r", Location("ZBE", 2)),
        (b"MSH|^~\\&||||||||||||||||ASCII\rP\xc9D|1\r", None),
    ],
)
def test_the_place_of_an_undecodable_byte_is_counted_from_the_bytes(raw, location):
    with pytest.raises(Hl7Error) as caught:
        Message.parse(b"\r" + raw)
    assert caught.value.location == location
    assert caught.value.offset == raw.index(b"\xc9") + 1


def test_utf_8_declared_as_latin_1_is_noted_not_repaired():
    read = Message.parse(message("8859/1", "utf-8"))
    assert read.value("PID-5") == NAME.encode().decode("latin-1")
    assert codes(read) == ["charset-suspect"]


def test_windows_1252_declared_as_latin_1_is_noted():
    assert codes(Message.parse(message("8859/1", "cp1252", "CŒUR’S"))) == ["charset-suspect"]


def test_text_encoded_twice_in_utf_8_is_noted():
    twice = NAME.encode().decode("latin-1")
    assert codes(Message.parse(message("UNICODE UTF-8", "utf-8", twice))) == ["charset-suspect"]


def test_a_capital_a_tilde_alone_is_not_suspect():
    assert codes(Message.parse(message("UNICODE UTF-8", "utf-8", "GUIMARÃES"))) == []
    assert codes(Message.parse(message("8859/1", "latin-1", "GUIMARÃES"))) == []


def test_a_wrong_declaration_is_repaired_when_configured_and_noted():
    read = Message.parse(message("UNICODE UTF-8", "latin-1"), CharsetPolicy(real="latin-1"))
    assert (read.value("PID-5"), read.charset) == (NAME, "iso8859-1")
    assert codes(read) == ["charset-repaired"]


def test_a_right_declaration_needs_no_repair():
    assert codes(Message.parse(message("8859/1", "latin-1"), CharsetPolicy(real="latin-1"))) == []


def test_an_unsupported_declaration_is_read_with_the_configured_set():
    read = Message.parse(message("UTF-8", "utf-8"), CharsetPolicy(real="utf-8"))
    assert (read.value("PID-5"), codes(read)) == (NAME, ["charset-repaired"])


def test_the_configured_set_can_be_wrong_too():
    with pytest.raises(Hl7Error) as caught:
        Message.parse(message("8859/1", "latin-1"), CharsetPolicy(real="utf-8"))
    assert caught.value.condition == "102"


@pytest.mark.parametrize(("encoding", "codec"), [("utf-8", "utf-8"), ("latin-1", "iso8859-1")])
def test_without_msh_18_the_fallback_is_tried_then_latin_1(encoding, codec):
    read = Message.parse(message("", encoding))
    assert (read.value("PID-5"), read.charset, codes(read)) == (NAME, codec, ["charset-undeclared"])


def test_the_fallback_is_configured():
    read = Message.parse(message("", "iso8859-15", "CŒUR"), CharsetPolicy(fallback="iso8859-15"))
    assert read.value("PID-5") == "CŒUR"


@pytest.mark.parametrize("codec", ["utf-16", "cp037", "no-such-codec", "hex"])
def test_a_policy_names_a_codec_that_extends_ascii(codec):
    with pytest.raises(ValueError, match="cannot be the character set"):
        CharsetPolicy(real=codec)
    with pytest.raises(ValueError, match="cannot be the character set"):
        CharsetPolicy(fallback=codec)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf_16_bytes_are_refused_clearly(encoding):
    with pytest.raises(Hl7Error, match="UTF-16") as caught:
        Message.parse(message("UNICODE", "utf-8").decode().encode(encoding))
    assert (caught.value.ack, caught.value.condition, caught.value.location) == ("AE", "103", Location("MSH", field=18))
