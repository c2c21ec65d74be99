"""The order of the calls of one search, played without any network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.insi.strategy import Attempt, Search
from insigne.insi.wire import InsiAnswer, InsiFault, InsNumber

FOUND = InsiAnswer("00", "OK", InsNumber("2840537261118", "32", "1.2.250.1.213.1.4.8"))
NOBODY = InsiAnswer("01", "")
SEVERAL = InsiAnswer("02", "")
FAULT = InsiFault("insi_102", "siram_40")


def play(search, *answers):
    """Feed the answers in order; return the calls made as (given names, place)."""
    calls = []
    for answer in answers:
        traits = search.next()
        assert traits is not None, f"only {len(calls)} calls were made"
        calls.append((traits.given_name, traits.birth_place))
        search.feed(answer)
    assert search.next() is None
    return calls


def three(place="37261"):
    return Search("BELLANGER", ["ISEULT", "MARIE", "ANNE"], "F", "1984-05-07", place)


def test_the_first_name_that_is_found_ends_the_search():
    search = three()
    assert play(search, FOUND) == [("ISEULT", "")]
    assert search.outcome is FOUND


def test_given_names_go_one_by_one_then_all_together():
    search = three()
    assert play(search, NOBODY, NOBODY, NOBODY, NOBODY) == [
        ("ISEULT", ""),
        ("MARIE", ""),
        ("ANNE", ""),
        ("ISEULT MARIE ANNE", ""),
    ]
    assert search.outcome is NOBODY


def test_a_single_given_name_is_asked_about_once():
    assert play(Search("BELLANGER", ["ISEULT"], "F", "1984-05-07"), NOBODY) == [("ISEULT", "")]


def test_several_people_are_told_apart_by_all_the_names_then_by_the_place():
    search = three()
    all_names = "ISEULT MARIE ANNE"
    assert play(search, SEVERAL, SEVERAL, FOUND) == [("ISEULT", ""), (all_names, ""), (all_names, "37261")]
    assert search.attempts == (
        Attempt("ISEULT", "", "02"),
        Attempt(all_names, "", "02"),
        Attempt(all_names, "37261", "00"),
    )


def test_several_people_of_one_name_are_told_apart_by_the_place_at_once():
    search = Search("DE VINCI", ["LEONARDO"], "M", "2014-02-01", "63220")
    assert play(search, SEVERAL, FOUND) == [("LEONARDO", ""), ("LEONARDO", "63220")]


def test_without_a_place_several_people_stay_several():
    search = Search("DE VINCI", ["LEONARDO"], "M", "2014-02-01")
    assert play(search, SEVERAL) == [("LEONARDO", "")]
    assert search.outcome is SEVERAL


def test_still_several_with_the_place_is_for_a_person_to_look_at():
    search = three()
    play(search, SEVERAL, SEVERAL, SEVERAL)
    assert search.outcome is SEVERAL


def test_when_all_the_names_fit_nobody_the_place_is_tried_with_the_name_that_fitted():
    search = three()
    assert play(search, NOBODY, SEVERAL, NOBODY, FOUND)[1:] == [
        ("MARIE", ""),
        ("ISEULT MARIE ANNE", ""),
        ("MARIE", "37261"),
    ]


def test_several_people_whom_nothing_told_apart_are_not_called_nobody():
    search = three()
    play(search, SEVERAL, SEVERAL, NOBODY)
    assert search.outcome is SEVERAL


def test_any_fault_ends_the_search():
    search = three()
    assert play(search, NOBODY, FAULT) == [("ISEULT", ""), ("MARIE", "")]
    assert search.outcome is FAULT
    assert search.attempts[-1] == Attempt("MARIE", "", "fault")


def test_a_call_not_answered_yet_is_the_same_call():
    search = three()
    assert search.next() == search.next()
    assert search.attempts == ()


def test_an_answer_nobody_asked_for_is_refused():
    with pytest.raises(ValueError, match="awaiting"):
        three().feed(FOUND)
    with pytest.raises(ValueError, match="given name"):
        Search("BELLANGER", [], "F", "1984-05-07")


@given(
    st.lists(st.sampled_from(["ISEULT", "MARIE", "ANNE", "EVE"]), min_size=1, max_size=6),
    st.sampled_from(["", "37261"]),
    st.lists(st.sampled_from([NOBODY, SEVERAL, FAULT, FOUND]), min_size=20, max_size=20),
)
def test_a_search_always_ends_and_never_asks_twice_the_same(names, place, answers):
    search = Search("BELLANGER", names, "F", "1984-05-07", place)
    for answer in answers:
        if search.next() is None:
            break
        search.feed(answer)
    assert search.next() is None
    assert search.outcome is not None
    asked = [(one.given, one.place) for one in search.attempts]
    assert len(set(asked)) == len(asked) <= len(set(names)) + 3
    assert all(one.given in {*names, " ".join(names)} for one in search.attempts)
