"""The same INS on two identities of a domain: the contest ends by itself when one of them has it no more."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigne.registry import commands as cmd
from insigne.registry.decision import Refused
from insigne.registry.index import replaced_ins_key

from .conftest import Base, patient

INS, OTHER = "284022901900189", "284022901900287"
VALI = ("VALI",)


@pytest.fixture
def contested(base: Any, write: Any) -> Any:
    """Identity 1 holds the INS, 2 too: contested there, with a work item."""
    for number in "12":
        base.does(cmd.RecordPatient(write.patient(number, ins=INS, status=VALI)))
    assert base.person("2").ins.contested
    assert [task.kind for task in base.tasks()] == ["same-ins"]
    return base


def replacement(write: Any, number: str, **patient: Any) -> cmd.ReplaceIdentifiers:
    """The A47 of an INS."""
    prior = write.patient(number, ins=INS).ins
    return cmd.ReplaceIdentifiers(write.patient(number, **patient), (), prior)


@pytest.mark.parametrize(
    "loses",
    [
        lambda write: cmd.RecordPatient(write.patient("1", status=("PROV",))),
        lambda write: cmd.RecordPatient(write.patient("1", status=("PROV", "DOUT"))),
        lambda write: cmd.RecordPatient(write.patient("1", ins=OTHER, status=VALI)),
        lambda write: replacement(write, "1", ins_deleted=True, status=VALI),
        lambda write: replacement(write, "1", ins=OTHER, status=VALI),
        lambda write: replacement(write, "1", ins=OTHER, status=("PROV",)),
    ],
    ids=["PROV", "DOUT", "another INS", "A47 deletion", "A47 replacement", "A47 without VALI"],
)
def test_the_ins_is_contested_no_more_once_the_first_holder_lost_it(contested: Any, write: Any, loses: Any) -> None:
    contested.does(loses(write))
    second = contested.person("2")
    assert (second.ins.contested, second.qualified) == (False, True)
    assert "same-ins" not in [task.kind for task in contested.tasks()]


def test_a_contested_ins_that_gave_way_to_another_is_searched_and_shown_as_a_former_one_of_nobody(
    contested: Any, write: Any
) -> None:
    contested.does(replacement(write, "2", ins=OTHER, status=VALI))
    second = contested.person("2")
    assert (second.ins.ins.matricule, second.ins_history[-1].ins.matricule) == (OTHER, INS)
    assert second.replaced_ins == ()
    assert contested.holders(replaced_ins_key(INS)) == ()
    assert contested.rebuilt() == contested.states


def test_a_contest_of_three_lasts_while_two_hold_the_ins(contested: Any, write: Any) -> None:
    contested.does(cmd.RecordPatient(write.patient("3", ins=INS, status=VALI)))
    contested.does(cmd.RecordPatient(write.patient("1", status=("PROV",))))
    assert [contested.person(number).ins.contested for number in "23"] == [True, True]
    [task] = [task for task in contested.tasks() if task.kind == "same-ins"]
    assert set(task.subjects) == {contested.person(number).id for number in "23"}
    contested.does(cmd.RecordPatient(write.patient("3", status=("PROV",))))
    assert contested.person("2").qualified


def test_the_first_holder_stays_as_it_is_when_the_second_loses_the_ins(contested: Any, write: Any) -> None:
    before = contested.person("1")
    contested.does(cmd.RecordPatient(write.patient("2", status=("PROV",))))
    assert contested.person("1") == before
    assert contested.tasks() == []


asserted = st.tuples(st.sampled_from("123"), st.sampled_from((INS, INS, OTHER, "")), st.booleans())


@settings(max_examples=150, deadline=None)
@given(st.lists(asserted, max_size=12))
def test_whatever_feeds_say_an_ins_is_contested_only_while_another_identity_holds_it(
    said: list[tuple[str, str, bool]],
) -> None:
    base = Base()
    for number, ins, merged in said:
        into = "1" if number != "1" else "2"
        if merged:
            base.does(cmd.MergePatients(patient(into), patient(number).identifiers))
        else:
            with contextlib.suppress(Refused):  # of one merged before
                base.does(cmd.RecordPatient(patient(number, ins=ins, status=VALI if ins else ("PROV",))))
        living = [one for one in base.identities() if one.ins is not None and not one.merged_into]
        for one in living:
            rivals = [other for other in living if other is not one and other.ins.ins == one.ins.ins]
            assert rivals or not one.ins.contested
