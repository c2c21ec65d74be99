"""Acknowledgements: built from bytes, and read."""

import pytest

from insigne.hl7 import CONDITIONS, Ack, AckError, Hl7Error, Location, Message, build_ack, parse_ack

RECEIVED = (
    b"MSH|^~\\&|GAM^1.2.250.1.999.3^ISO|CHU-NORD|INSIGNE|CHU-SUD|20260301101500+0100||ADT^A28^ADT_A05|MSG01|P"
    b"|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\rPID|1\r"
)
TIME = "20260301101501+0100"


def answer(raw: bytes = RECEIVED, code: str = "AA", **options: object) -> bytes:
    return build_ack(raw, code, time=TIME, control_id="ACK1", **options)


def test_a_plain_acknowledgement_is_written_in_full():
    assert answer().decode() == (
        "MSH|^~\\&|INSIGNE|CHU-SUD|GAM^1.2.250.1.999.3^ISO|CHU-NORD|20260301101501+0100||ACK^A28^ACK|ACK1|P"
        "|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR\r"
        "MSA|AA|MSG01\r"
    )


@pytest.mark.parametrize("code", ["AA", "AE", "AR", "CA", "CE", "CR"])
def test_every_code_of_both_modes_is_written_and_read(code):
    ack = parse_ack(answer(code=code, text="vu"))
    assert ack == Ack(code, "MSG01", "vu", [], "ACK1")


def test_an_error_names_place_condition_severity_rule_and_text():
    errors = [
        AckError("101", location=Location("PID", 1, 3, 2, 5), text="Type d’identifiant absent", application_code="V12"),
        AckError("103", "W", Location("ZBE", 2, 9)),
        AckError("207"),
    ]
    raw = answer(code="AE", errors=errors)
    assert raw.decode().split("\r")[2:] == [
        "ERR||PID^1^3^2^5|101^Required field missing^HL70357|E|V12|||Type d’identifiant absent",
        "ERR||ZBE^2^9|103^Table value not found^HL70357|W",
        "ERR|||207^Application internal error^HL70357|E",
        "",
    ]
    assert parse_ack(raw).errors[0] == errors[0]
    assert [error.severity for error in parse_ack(raw).errors] == ["E", "W", "E"]


@pytest.mark.parametrize(
    ("component", "condition", "erl"), [(1, "200", "MSH^1^9^1^1"), (2, "201", "MSH^1^9^1^2"), (None, "203", "MSH^1^12")]
)
def test_an_unsupported_type_event_or_version_is_located_as_ihe_asks(component, condition, erl):
    place = Location("MSH", field=9 if component else 12, component=component)
    err = answer(code="AR", errors=[AckError(condition, location=place)]).decode().split("\r")[2]
    assert err == f"ERR||{erl}|{condition}^{CONDITIONS[condition]}^HL70357|E"


def test_a_message_that_cannot_be_read_gets_the_answer_its_error_carries():
    raw = RECEIVED.replace(b"PID|1", b"PID|1||\xe9")
    with pytest.raises(Hl7Error) as caught:
        Message.parse(raw)
    error = caught.value
    ack = parse_ack(answer(raw, error.ack, errors=[AckError.of(error)]))
    assert (ack.code, ack.control_id) == ("AE", "MSG01")
    assert ack.errors == [AckError("102", "E", Location("PID", field=3), error.text)]


def test_a_delimiter_in_a_text_is_escaped():
    raw = answer(text="PID|3^1", errors=[AckError("102", text="~ & \\ \r")])
    assert raw.count(b"\r") == 3
    assert parse_ack(raw).text == "PID|3^1"
    assert parse_ack(raw).errors[0].text == "~ & \\ \r"


def test_every_segment_ends_with_a_carriage_return():
    assert answer().endswith(b"MSG01\r")
    assert answer(errors=[AckError("207")]).endswith(b"\r")


def test_the_answer_uses_the_delimiters_of_the_message():
    raw = b"MSH:;~\\&:A:B:C:D:::ADT;A28;ADT_A05:77:P:2.5;FRA\r"
    built = answer(raw, "AE", errors=[AckError("101", location=Location("PID", 1, 3))])
    assert built.decode() == (
        "MSH:;~\\&:C:D:A:B:20260301101501+0100::ACK;A28;ACK:ACK1:P:2.5;FRA\r"
        "MSA:AE:77\r"
        "ERR::PID;1;3:101;Required field missing;HL70357:E\r"
    )
    assert parse_ack(built).errors == [AckError("101", "E", Location("PID", 1, 3), "Required field missing")]


def test_before_version_2_5_the_error_is_also_in_err_1():
    raw = RECEIVED.replace(b"2.5^FRA^2.11", b"2.3.1")
    built = answer(raw, "AE", errors=[AckError("101", location=Location("PID", 1, 3))])
    assert built.decode().split("\r")[2].startswith("ERR|PID^1^3^101&Required field missing&HL70357|PID^1^3|")


@pytest.mark.parametrize(("msh_9", "kind"), [("ADT", "ACK"), ("", "ACK"), ("ADT^A28", "ACK^A28^ACK"), ("^^", "ACK")])
def test_the_trigger_is_copied_when_there_is_one(msh_9, kind):
    raw = f"MSH|^~\\&|A|B|C|D|||{msh_9}|77|P|2.5\r".encode()
    assert answer(raw).split(b"|")[8] == kind.encode()


def test_separators_alone_in_an_application_name_are_copied():
    assert answer(b"MSH|^~\\&|A|B|^|^^|||ADT^A28|77|P|2.5\r").startswith(b"MSH|^~\\&|^|^^|A|B|")


def test_a_short_header_is_answered():
    assert answer(b"MSH|^~\\&|A\r").decode() == (
        f"MSH|^~\\&|||A||{TIME}||ACK|ACK1|P|2.5\rMSA|AA|\r"  # the default P and 2.5: both fields are required
    )


def test_a_control_id_of_300_characters_is_given_back_whole():
    long = "7" * 300
    assert parse_ack(answer(RECEIVED.replace(b"MSG01", long.encode()))).control_id == long


@pytest.mark.parametrize(
    "raw", [b"", b"MSH", b"PID|1\r", b"MSH||A|B", b"\0" * 50, b"\xff\xfeM\0S\0H\0", b"MSH|ABCD|A\r", b"MSH\xff"]
)
def test_what_has_no_usable_header_is_answered_with_the_recommended_delimiters(raw):
    assert answer(raw, "AR").decode() == f"MSH|^~\\&|||||{TIME}||ACK|ACK1|P|2.5\rMSA|AR|\r"


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"\r\n ", b"\x0b"])
def test_what_precedes_the_header_does_not_hide_it(prefix):
    assert answer(prefix + RECEIVED) == answer()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_other_segment_ends_do_not_leak_into_the_answer(end):
    assert answer(RECEIVED.replace(b"\r", end)) == answer()


class TestCharacterSet:
    @pytest.mark.parametrize(
        ("declared", "encoding"), [("8859/1", "latin-1"), ("8859/15", "iso8859-15"), ("UNICODE UTF-8", "utf-8")]
    )
    def test_the_answer_is_in_the_set_of_the_message(self, declared, encoding):
        raw = RECEIVED.decode().replace("UNICODE UTF-8", declared).replace("CHU-NORD", "HÔPITAL").encode(encoding)
        built = answer(raw, text="Reçu")
        assert f"|FRA|{declared}|FR".encode() in built
        assert "|HÔPITAL|" in built.decode(encoding)
        assert parse_ack(built).text == "Reçu"

    def test_in_ascii_letters_lose_their_accents(self):
        raw = RECEIVED.replace(b"UNICODE UTF-8", b"")
        built = answer(raw, text="Reçu à l’entrée ☃", errors=[AckError("101", text="prénom")])
        assert parse_ack(built).text == "Recu a l'entree ?"
        assert parse_ack(built).errors[0].text == "prenom"

    def test_an_unsupported_set_is_not_copied(self):
        built = answer(RECEIVED.replace(b"UNICODE UTF-8", b"UNICODE"), "AE", text="Déclarez UTF-8")
        assert b"UNICODE" not in built
        assert built.isascii()

    def test_a_latin_1_header_declared_otherwise_is_answered_with_its_own_bytes(self):
        raw = RECEIVED.replace(b"CHU-NORD", b"H\xd4PITAL")
        built = answer(raw, "AE", text="Non décodable")
        assert b"|H\xd4PITAL|" in built
        assert b"MSA|AE|MSG01|Non decodable\r" in built

    def test_a_text_beyond_the_set_is_not_an_error(self):
        built = answer(RECEIVED.replace(b"UNICODE UTF-8", b"8859/1"), text="Œdème")
        assert b"?d\xe8me" in built


class TestReading:
    def test_what_is_not_an_acknowledgement_is_refused(self):
        with pytest.raises(Hl7Error, match="not an acknowledgement") as caught:
            parse_ack(RECEIVED)
        assert caught.value.condition == "100"

    @pytest.mark.parametrize("code", ["", "XX", "aa", '""'])
    def test_an_unknown_code_is_refused(self, code):
        with pytest.raises(Hl7Error) as caught:
            parse_ack(f"MSH|^~\\&|A\rMSA|{code}|1\r".encode())
        assert (caught.value.condition, caught.value.location) == ("103", Location("MSA", field=1))

    @pytest.mark.parametrize("raw", [b"", b"OK", b"MSH", b"\x00\x01\x02", b"MSA|AA|1\r"])
    def test_garbage_is_refused(self, raw):
        with pytest.raises(Hl7Error):
            parse_ack(raw)

    @pytest.mark.parametrize("declared", ["UTF-8", "ASCII", "UNICODE UTF-8", ""])
    def test_a_wrong_character_set_does_not_hide_the_code(self, declared):
        raw = f"MSH|^~\\&|A||||||ACK|9|P|2.5||||||{declared}\rMSA|AE|7|Refus\xe9\r".encode("latin-1")
        ack = parse_ack(raw)
        assert (ack.code, ack.control_id, ack.text) == ("AE", "7", "Refusé")

    @pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r"])
    def test_any_segment_end_is_read(self, end):
        raw = end.join(["MSH|^~\\&|A||||||ACK|9", "MSA|AA|7", "ERR|||0^ok", ""]).encode()
        assert parse_ack(raw).control_id == "7"

    def test_an_acknowledgement_still_in_its_frame_is_read(self):
        assert parse_ack(b"\x0b" + answer() + b"\x1c\r").code == "AA"

    def test_an_error_written_as_before_version_2_5_is_read(self):
        raw = b"MSH|^~\\&|A||||||ACK|9|P|2.3\rMSA|AE|7\rERR|PID^1^3^101&Required&HL70357~PV1^1^2^103\r"
        assert parse_ack(raw).errors == [
            AckError("101", "E", Location("PID", 1, 3), "Required"),
            AckError("103", "E", Location("PV1", 1, 2)),
        ]

    def test_an_error_with_several_places_gives_one_for_each(self):
        raw = b"MSH|^~\\&|A||||||ACK|9\rMSA|AE|7\rERR||PID^1^3~PID^1^5|101|E|||diag\r"
        assert parse_ack(raw).errors == [
            AckError("101", "E", Location("PID", 1, 3), "diag"),
            AckError("101", "E", Location("PID", 1, 5), "diag"),
        ]

    def test_a_place_that_makes_no_sense_is_left_out(self):
        raw = b"MSH|^~\\&|A||||||ACK|9\rMSA|AE|7\rERR||somewhere^x|101\rERR||PID^x^-1^99999999|101\rERR\r"
        assert [error.location for error in parse_ack(raw).errors] == [None, Location("PID")]
