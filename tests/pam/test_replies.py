"""What the registry decided, as ERR segments."""

import pytest

from insigne.pam.replies import PLACES, notice_warning, refusal_error
from insigne.registry.decision import Fault, Refused, Subject
from insigne.registry.notices import TEXTS, Notice


@pytest.mark.parametrize(
    ("fault", "subject", "condition", "erl"),
    [
        (Fault.DUPLICATE_KEY, Subject.PRIOR, "205", "MRG^1^1"),
        (Fault.UNKNOWN_KEY, Subject.PATIENT, "204", "PID^1^3"),
        (Fault.UNKNOWN_KEY, Subject.MOVEMENT, "204", "ZBE^1^1"),
        (Fault.REQUIRED, Subject.ACCOUNT, "101", "PID^1^18"),
    ],
)
def test_a_refusal_names_its_place_and_its_code_of_table_0357(
    fault: Fault, subject: Subject, condition: str, erl: str
) -> None:
    error = refusal_error(Refused(fault, subject, "why"))

    assert error.location is not None
    assert (error.condition, error.severity, error.location.erl(), error.text) == (condition, "E", erl, "why")


def test_the_surviving_number_is_named_when_the_registry_allows_it() -> None:
    error = refusal_error(Refused(Fault.UNKNOWN_KEY, Subject.PATIENT, "merged", survivor="42"))

    assert error.text == "merged; it is now 42"


@pytest.mark.parametrize("subject", Subject)
def test_every_subject_has_a_place_in_a_message(subject: Subject) -> None:
    assert PLACES[subject].field is not None


@pytest.mark.parametrize("code", TEXTS)
def test_every_notice_is_a_warning_in_two_languages(code: str) -> None:
    values = ("attribute", "attributes", "oid", "environment", "missing")
    notice = Notice(code, Subject.INS, tuple((name, "X") for name in values))

    warning = notice_warning(notice)

    assert (warning.severity, warning.application_code, warning.text) == ("W", code, notice.text)
    assert notice.text_fr != notice.text
