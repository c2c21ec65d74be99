"""What the registry does about a person who entered their own traits."""

import pytest

from insigne.ins.status import Status
from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry.decision import Refused
from insigne.registry.settings import Policy
from insigne.registry.values import Authority, Identifier, Proof

from .conftest import Base

TRAITS = cmd.TraitsAssertion("ROUVIERE", "ODETTE", "ODETTE PAULE", "19610530", "F", "99999")
SEARCH = acts.PriorSearch((("birth_date", "19610530"),), ())


@pytest.fixture
def base():
    return Base(Policy(own=frozenset({"INSIGNE"})))


@pytest.fixture
def enrolled(base):
    number = Identifier("PI", Authority("INSIGNE"), "1")
    return base.acts(acts.CreateIdentity(number, TRAITS, cmd.DetailsAssertion(), SEARCH)).subject


def items(base):
    return [(item.kind, item.subjects, item.cause) for item in base.tasks()]


def test_an_enrolment_waits_for_a_professional(base, enrolled):
    base.acts(acts.RaiseEnrolment(enrolled))
    assert items(base) == [("enrolment-to-verify", (enrolled,), "")]


def test_the_item_says_that_somebody_like_them_is_known(base, enrolled):
    base.acts(acts.RaiseEnrolment(enrolled, found=True))
    assert items(base) == [("enrolment-to-verify", (enrolled,), "possible-duplicate")]


def test_checking_the_document_settles_it(base, enrolled):
    base.acts(acts.RaiseEnrolment(enrolled))
    base.acts(acts.RecordProof(enrolled, 0, Proof("PA", high_trust=True, expiry="2031-01-01")))
    assert base.identity(enrolled).status is Status.VALI
    assert items(base) == []


def test_only_an_identity_of_ours_can_be_enrolled(base):
    with pytest.raises(Refused):
        base.acts(acts.RaiseEnrolment("nobody"))
