"""Statuses, attributes and transitions, against the RNIV's rules."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.status import (
    ATTRIBUTES,
    RELIABILITY_CODES,
    STATUS_LABELS_FR,
    TRANSITIONS,
    Effect,
    Status,
    TransitionRefused,
    Trigger,
    allowed_attributes,
    axes_of,
    forces_provisional,
    insi_call_remark,
    status_of,
    transition,
)

P, R, V, Q = Status.PROV, Status.RECUP, Status.VALI, Status.QUAL


def test_the_two_axes_make_the_four_statuses():
    assert status_of(recovered=False, checked=False) is P
    assert status_of(recovered=True, checked=False) is R
    assert status_of(recovered=False, checked=True) is V
    assert status_of(recovered=True, checked=True) is Q
    assert all(status_of(*axes_of(status)) is status for status in Status)
    assert STATUS_LABELS_FR[Q] == "Identité qualifiée"


# Rows: where the identity is. Columns: PROV, RECUP, VALI, QUAL afterwards. In each cell the triggers that lead there.
MATRIX = {
    None: {
        P: {Trigger.CREATED, Trigger.DATAMATRIX_SCANNED},
        Q: {Trigger.APPCV_READ},
    },
    P: {
        P: {
            Trigger.DATAMATRIX_SCANNED,
            Trigger.VERIFICATION_KO,
            Trigger.STRICT_TRAIT_EDITED,
            Trigger.FIRST_GIVEN_NAME_EDITED,
            Trigger.ATTRIBUTE_SET,
            Trigger.ATTRIBUTE_LIFTED,
        },
        R: {Trigger.INSI_ACCEPTED, Trigger.VERIFICATION_OK},
        V: {Trigger.DOCUMENT_CHECKED},
        Q: {Trigger.APPCV_READ},
    },
    R: {
        P: {Trigger.VERIFICATION_KO, Trigger.INS_REMOVED, Trigger.STRICT_TRAIT_EDITED, Trigger.ATTRIBUTE_SET},
        R: {Trigger.INSI_ACCEPTED, Trigger.VERIFICATION_OK, Trigger.FIRST_GIVEN_NAME_EDITED},
        Q: {Trigger.DOCUMENT_CHECKED, Trigger.APPCV_READ},
    },
    V: {
        P: {Trigger.STRICT_TRAIT_EDITED, Trigger.ATTRIBUTE_SET},
        V: {
            Trigger.DOCUMENT_CHECKED,
            Trigger.DATAMATRIX_SCANNED,
            Trigger.VERIFICATION_KO,
            Trigger.FIRST_GIVEN_NAME_EDITED,
        },
        Q: {Trigger.INSI_ACCEPTED, Trigger.VERIFICATION_OK, Trigger.APPCV_READ},
    },
    Q: {
        P: {Trigger.STRICT_TRAIT_EDITED, Trigger.ATTRIBUTE_SET},
        V: {Trigger.VERIFICATION_KO, Trigger.INS_REMOVED},
        Q: {
            Trigger.DOCUMENT_CHECKED,
            Trigger.INSI_ACCEPTED,
            Trigger.APPCV_READ,
            Trigger.VERIFICATION_OK,
            Trigger.FIRST_GIVEN_NAME_EDITED,
        },
    },
}


@pytest.mark.parametrize("trigger", list(Trigger))
@pytest.mark.parametrize("source", [None, *Status])
def test_each_trigger_leads_where_the_matrix_says_or_is_refused(source, trigger):
    expected = [target for target, triggers in MATRIX[source].items() if trigger in triggers]
    if expected:
        assert [transition(source, trigger).target] == expected
    else:
        with pytest.raises(TransitionRefused) as refused:
            transition(source, trigger)
        assert refused.value.message_fr


def test_the_table_has_one_row_for_a_status_and_a_trigger():
    keys = [(row.source, row.trigger) for row in TRANSITIONS]
    assert len(keys) == len(set(keys))
    assert all(row.reference.startswith("T") for row in TRANSITIONS)


def test_a_verification_that_fails_keeps_the_document_unless_the_setting_is_strict():
    assert transition(Q, Trigger.VERIFICATION_KO).target is V
    assert transition(Q, Trigger.VERIFICATION_KO, strict=True).target is P
    assert transition(R, Trigger.VERIFICATION_KO, strict=True).target is P
    assert Effect.INS_TO_HISTORY in transition(Q, Trigger.VERIFICATION_KO).effects


@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_setting_douteuse_on_a_qualified_identity_sends_the_ins_to_history_and_blocks_insi(attribute):
    row = transition(Q, Trigger.ATTRIBUTE_SET)
    assert row.target is P
    assert {Effect.INS_TO_HISTORY, Effect.VOID_DOCUMENT, Effect.BLOCK_INSI} <= set(row.effects)
    with pytest.raises(TransitionRefused, match="EXI ID 26"):
        transition(P, Trigger.INSI_ACCEPTED, {attribute})


def test_a_doubtful_identity_is_neither_validated_nor_qualified():
    for trigger in (Trigger.DOCUMENT_CHECKED, Trigger.APPCV_READ, Trigger.VERIFICATION_OK, Trigger.DATAMATRIX_SCANNED):
        with pytest.raises(TransitionRefused, match="lift the attribute"):
            transition(P, trigger, {"DOUT", "HOMA"})


def test_a_homonym_is_qualified_like_anyone():
    assert transition(R, Trigger.DOCUMENT_CHECKED, {"HOMA"}).target is Q


def test_a_lifted_doubt_leaves_the_identity_provisional():
    assert transition(P, Trigger.ATTRIBUTE_LIFTED, {"DOUT"}).target is P


def test_the_first_given_name_is_edited_at_any_status_and_another_strict_trait_costs_it():
    assert transition(Q, Trigger.FIRST_GIVEN_NAME_EDITED).effects == ()
    assert Effect.VOID_DOCUMENT in transition(V, Trigger.STRICT_TRAIT_EDITED).effects
    assert Effect.INS_TO_HISTORY in transition(R, Trigger.STRICT_TRAIT_EDITED).effects


def test_only_five_of_the_eight_sets_of_attributes_are_allowed():
    sets = [set(names) for size in range(4) for names in combinations(sorted(ATTRIBUTES), size)]
    assert len(sets) == 8
    allowed = [names for names in sets if allowed_attributes(names)]
    assert sorted(map(sorted, allowed)) == [[], ["DOUT"], ["DOUT", "HOMA"], ["FICT"], ["HOMA"]]


def test_an_unknown_attribute_is_not_allowed():
    assert not allowed_attributes({"USUR"})


def test_douteuse_and_fictive_force_the_provisional_status_and_homonyme_does_not():
    assert forces_provisional({"DOUT"})
    assert forces_provisional({"FICT"})
    assert not forces_provisional({"HOMA"})


def test_insi_is_forbidden_for_a_fictive_identity_and_unadvised_without_a_document():
    assert insi_call_remark(P, {"FICT"}, document_at_hand=True).code == "insi-blocked"
    assert insi_call_remark(P, set(), document_at_hand=False).code == "insi-unadvised"
    assert insi_call_remark(P, set(), document_at_hand=True) is None
    assert insi_call_remark(V, {"HOMA"}, document_at_hand=False) is None


def test_table_0445_has_its_21_codes_three_of_them_attributes():
    assert len(RELIABILITY_CODES) == 21
    assert {code for code, row in RELIABILITY_CODES.items() if row.kind == "attribute"} == set(ATTRIBUTES)
    assert not {"QUAL", "RECUP"} & set(RELIABILITY_CODES)
    assert RELIABILITY_CODES["USUR"].label_fr == "Identité usurpée"


@given(st.lists(st.sampled_from(list(Trigger)), max_size=30))
def test_no_sequence_of_events_qualifies_without_a_document_and_insi(triggers):
    status, proofs = None, set()
    for trigger in triggers:
        try:
            row = transition(status, trigger)
        except TransitionRefused:
            continue
        status = row.target
        if Effect.VOID_DOCUMENT in row.effects:
            proofs.discard("document")
        if Effect.INS_TO_HISTORY in row.effects:
            proofs.discard("insi")
        if Effect.RECORD_DOCUMENT in row.effects:
            proofs.add("document")
        if Effect.STORE_INS in row.effects:
            proofs.add("insi")
        assert status is status_of("insi" in proofs, "document" in proofs)
