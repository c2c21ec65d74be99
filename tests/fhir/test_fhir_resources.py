"""Bundle, OperationOutcome, CapabilityStatement and FHIR dates."""

import fhirkit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.fhir import capability_statement, operation_outcome, searchset
from insigne.fhir.dates import fhir_date, fhir_datetime, fhir_day

BASE = "http://127.0.0.1:8380/fhir/R4"


def test_a_searchset_is_a_valid_bundle():
    found = searchset([{"resourceType": "Patient", "id": "01J"}], BASE, f"{BASE}/Patient?_count=1", f"{BASE}/next")
    assert fhirkit.validate(found) == []
    assert found["entry"][0]["fullUrl"] == f"{BASE}/Patient/01J"
    assert [link["relation"] for link in found["link"]] == ["self", "next"]
    assert "total" not in found


def test_an_empty_searchset_says_zero():
    found = searchset([], BASE, f"{BASE}/Patient?identifier=x")
    assert fhirkit.validate(found) == []
    assert found["total"] == 0
    assert "entry" not in found


def test_an_outcome_is_valid():
    assert fhirkit.validate(operation_outcome("not-found", "no such Patient")) == []


def test_the_capability_statement_is_valid_and_read_only():
    statement = capability_statement(version="0.1.0", date="2026-03-01T08:00:00Z", base=BASE)
    assert fhirkit.validate(statement) == []
    (patient,) = statement["rest"][0]["resource"]
    assert {i["code"] for i in patient["interaction"]} == {"read", "search-type"}


@pytest.mark.parametrize(
    ("hl7", "expected"),
    [
        ("1985", "1985"),
        ("198507", "1985-07"),
        ("19850712", "1985-07-12"),
        ("198507121030+0100", "1985-07-12"),
        ("19850000", "1985"),
        ("19850700", "1985-07"),
        ("19850012", ""),
        ("19851301", ""),
        ("19850230", ""),
        ("0000", ""),
        ("12/07/1985", ""),
        ("", ""),
    ],
)
def test_an_hl7_time_gives_the_date_it_knows(hl7, expected):
    assert fhir_date(hl7) == expected


def test_a_time_without_a_zone_is_told_as_a_day():
    assert fhir_datetime("20260304101500") == "2026-03-04"
    assert fhir_datetime("20260304101500+0100") == "2026-03-04T10:15:00+01:00"
    assert fhir_datetime("202603049900+0100") == "2026-03-04"
    assert fhir_day("202603") == ""


@given(st.text(max_size=30))
def test_no_text_breaks_the_dates(text):
    assert fhir_date(text) in ("", text[:4], f"{text[:4]}-{text[4:6]}", f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    assert fhirkit.validate({"resourceType": "Patient", "deceasedDateTime": fhir_datetime(text) or "2026"}) == []
