"""What receivers are told of identities: A28, A31, A40, A47, A24, A37, and the INS that goes with them."""

import msgspec
import pytest

from insigne.pam.encode import (
    Encoded,
    Nothing,
    Notice,
    SubscriptionSettings,
    Withheld,
    baseline,
    dialect_of,
    encode,
)
from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry.values import Authority, Identifier, Ins, Proof, Traits

from .conftest import FIRST, NIA, NIR, NOON, SECOND, field, ins, lines, message, mrg, pid, segment, triggers

QUALIFIED = {"ins": ins(), "status": "VALI"}


@pytest.fixture
def qualified(repository):
    """The patient 1001, with an INS, qualified."""
    repository.receives(message("A28", pid(**QUALIFIED), "PV1||N", "ZFD||||N|INSI|20260301|CN|20300101"))
    return repository


def test_a_new_patient_is_told_by_an_a28(repository):
    """The whole message: header of 2.11, EVN-2 in the receiver's time, PID-3 PI, PID-5 L, PID-11 home and birthplace,
    PID-32 PROV, no visit.
    """
    [told] = repository.receives(message("A28", pid(phone="^PRN^PH^^^^^^^^^0102030405"), "PV1||N"))
    outcome = repository.written(told)
    assert lines(outcome) == [
        (
            "MSH|^~\\&|INSIGNE|INSIGNE|DPI|HOSP|20260302120000+0100||ADT^A28^ADT_A05|M1|P|2.5^FRA^2.11|||||FRA"
            "|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM"
        ),
        "EVN||20260302120000+0100",
        (
            "PID|1||1001^^^HOSP&1.2.250.1.999.1&ISO^PI||VERMILLON^LUCE^LUCE ADELE^^Mme^^L||19800214|F|||"
            "3 RUE DES LILAS^^VALBRUME^^69001^FRA^H~^^VALBRUME^^^FRA^BDL^^69123||^PRN^PH^^^^^^^^^0102030405"
            "|||||||||||||||||||PROV|20260302120000+0100"
        ),
        "PV1||N",
    ]
    assert outcome.event == "ADT^A28^ADT_A05"


def test_the_message_ends_each_segment_by_a_carriage_return(repository):
    [told] = repository.receives(message("A28", pid(), "PV1||N"))
    raw = repository.written(told).raw
    assert raw.endswith(b"PV1||N\r")
    assert b"\n" not in raw


def test_an_identity_that_becomes_qualified_is_told_with_its_ins_and_how_it_was_obtained(repository):
    """A31: PI then INS (type INS, NIR), VALI, ZFD-4 to 8: not completed, INSi on 1 March, identity card to 2030."""
    repository.receives(message("A28", pid(), "PV1||N"))
    [told] = repository.receives(message("A31", pid(**QUALIFIED), "PV1||N", "ZFD||||N|INSI|20260301|CN|20300101"))
    outcome = repository.written(told)
    assert told.trigger == "A31"
    assert field(outcome, "PID", 3) == f"1001^^^HOSP&1.2.250.1.999.1&ISO^PI~{FIRST}^^^{NIR}^INS"
    assert field(outcome, "PID", 32) == "VALI"
    assert segment(outcome, "ZFD") == "ZFD||||N|INSI|20260301|CN|20300101"


def test_what_changes_nothing_is_told_to_nobody(qualified):
    assert qualified.receives(message("A31", pid(**QUALIFIED), "PV1||N")) == []


def test_a_nia_that_became_a_nir_is_told_by_an_a31_that_carries_the_nir_alone(repository):
    repository.receives(message("A28", pid(ins=ins(SECOND, NIA), status="VALI"), "PV1||N"))
    told = repository.receives(message("A31", pid(ins=ins(FIRST, NIR), status="VALI"), "PV1||N"))
    assert triggers(told) == ["A31"]
    assert field(repository.written(told[0]), "PID", 3).endswith(f"~{FIRST}^^^{NIR}^INS")


def test_a_replaced_ins_is_told_by_an_a47_that_names_the_former_one_then_by_an_a31(qualified):
    """A47: PID-3 holds the PI and the new INS, MRG-1 the former INS. It updates no trait, hence the A31."""
    told = qualified.receives(message("A47", pid(ins=ins(SECOND), status="VALI"), mrg(ins(FIRST))))
    assert triggers(told) == ["A47.ins-replaced", "A31"]
    outcome = qualified.written(told[0])
    assert outcome.event == "ADT^A47^ADT_A30"
    assert field(outcome, "PID", 3).endswith(f"~{SECOND}^^^{NIR}^INS")
    assert segment(outcome, "MRG") == f"MRG|{FIRST}^^^{NIR}^INS"
    assert field(qualified.written(told[1]), "PID", 3).endswith(f"~{SECOND}^^^{NIR}^INS")


def test_a_deleted_ins_is_told_by_an_a47_with_two_double_quotes(qualified):
    """PID-3 holds the PI and `""` under the type INS; PID-32 does not change."""
    told = qualified.receives(message("A47", pid(ins=f'""^^^{NIR}^INS', status="VALI"), mrg(ins(FIRST))))
    assert triggers(told) == ["A47.ins-deleted"]
    outcome = qualified.written(told[0])
    assert field(outcome, "PID", 3) == f'1001^^^HOSP&1.2.250.1.999.1&ISO^PI~""^^^{NIR}^INS'
    assert segment(outcome, "MRG") == f"MRG|{FIRST}^^^{NIR}^INS"
    assert field(outcome, "PID", 32) == "VALI"


def test_an_identity_that_is_provisional_again_deletes_its_ins_and_says_prov(qualified):
    told = qualified.receives(message("A31", pid(), "PV1||N"))
    assert triggers(told) == ["A47.downgrade", "A31"]
    outcome = qualified.written(told[0])
    assert field(outcome, "PID", 3).endswith(f'~""^^^{NIR}^INS')
    assert field(outcome, "PID", 32) == "PROV"
    assert "INS" not in field(qualified.written(told[1]), "PID", 3)


def test_the_ins_of_an_identity_that_was_only_retrieved_is_not_deleted_at_receivers_that_never_had_it(repository):
    told = ours(repository)
    assert field(repository.written(told), "PID", 32) == "PROV"
    identity = repository.person("1")
    edited = cmd.TraitsAssertion(birth_name="MALICORNE")
    told = repository.acts(acts.EditTraits(identity.id, identity.version, edited, "typed wrong"))
    assert triggers(told) == ["A31"]


def test_a_changed_number_is_told_by_an_a47(repository):
    """PID-3 the new number, MRG-1 the former one, no A31: nothing else changed."""
    repository.receives(message("A28", pid(), "PV1||N"))
    told = repository.receives(message("A47", pid("2002"), mrg("1001")))
    assert triggers(told) == ["A47.identifier"]
    outcome = repository.written(told[0])
    assert field(outcome, "PID", 3) == "2002^^^HOSP&1.2.250.1.999.1&ISO^PI"
    assert segment(outcome, "MRG") == "MRG|1001^^^HOSP&1.2.250.1.999.1&ISO^PI"


def test_a_merge_into_a_number_nobody_knew_is_told_as_a_change_of_number(repository):
    repository.receives(message("A28", pid(), "PV1||N"))
    assert triggers(repository.receives(message("A40", pid("2002"), mrg("1001")))) == ["A47.identifier"]


def test_a_merge_is_told_by_an_a40_that_names_the_numbers_of_the_one_that_goes(repository):
    repository.receives(message("A28", pid("1001"), "PV1||N"))
    repository.receives(message("A28", pid("2002"), "PV1||N"))
    [told] = repository.receives(message("A40", pid("1001"), mrg("2002")))
    outcome = repository.written(told)
    assert outcome.event == "ADT^A40^ADT_A39"
    assert [line[:3] for line in lines(outcome)] == ["MSH", "EVN", "PID", "MRG"]
    assert field(outcome, "PID", 3) == "1001^^^HOSP&1.2.250.1.999.1&ISO^PI"
    assert segment(outcome, "MRG") == "MRG|2002^^^HOSP&1.2.250.1.999.1&ISO^PI"
    assert told.touched == (repository.person("1001").id, repository.person("2002").id)


def test_a_merge_with_another_ins_deletes_that_ins_before_the_a40(qualified):
    qualified.receives(message("A28", pid("2002", ins=ins(SECOND), status="VALI"), "PV1||N"))
    told = qualified.receives(message("A40", pid("1001"), mrg("2002")))
    assert triggers(told) == ["A47.ins-deleted", "A40"]
    assert field(qualified.written(told[0]), "PID", 3).startswith("2002^")


def test_two_numbers_of_one_identity_that_become_one_are_told_as_a_merge(repository):
    both = "1001^^^HOSP&1.2.250.1.999.1&ISO^PI~3003^^^HOSP&1.2.250.1.999.1&ISO^PI"
    repository.receives(message("A28", pid().replace("1001^^^HOSP&1.2.250.1.999.1&ISO^PI", both), "PV1||N"))
    [told] = repository.receives(message("A40", pid("1001"), mrg("3003")))
    outcome = repository.written(told)
    assert told.trigger == "A40"
    assert segment(outcome, "MRG") == "MRG|3003^^^HOSP&1.2.250.1.999.1&ISO^PI"


def test_a_link_and_its_end_are_told_once_each(repository):
    repository.receives(message("A28", pid("1001"), "PV1||N"))
    repository.receives(message("A28", pid("2002"), "PV1||N"))
    [link] = repository.receives(message("A24", pid("1001"), pid("2002"), structure="ADT_A24"))
    [unlink] = repository.receives(message("A37", pid("1001"), pid("2002"), structure="ADT_A37"))
    first, second = repository.written(link), repository.written(unlink)
    assert first.event == "ADT^A24^ADT_A24"
    assert [line.split("|")[3][:4] for line in lines(first)[2:]] == ["1001", "2002"]
    assert second.event == "ADT^A37^ADT_A37"


# --- identities of ours, by acts


def ours(repository, number="1"):
    """An identity of ours, retrieved from INSi, not yet checked; the notice of its creation."""
    traits = cmd.TraitsAssertion("VERMILLON", "LUCE", "LUCE ADELE", "19800214", "F", "69123")
    identifier = Identifier("PI", Authority("INSIGNE"), number)
    [told] = repository.acts(
        acts.CreateIdentity(identifier, traits, cmd.DetailsAssertion(), acts.PriorSearch((("name", "VER"),), ()))
    )
    identity = repository.person(number)
    answer = acts.NationalAnswer(
        Ins(FIRST, "1.2.250.1.213.1.4.8"), Traits("VERMILLON", "LUCE", "LUCE ADELE", "19800214", "F", "69123")
    )
    [told] = repository.acts(acts.AcceptIns(identity.id, identity.version, answer))
    return told


def test_an_ins_retrieved_by_us_leaves_once_a_document_is_checked(repository):
    """A31 after INSi: PROV, no INS, ZFD-5 INSI and its day. A31 after the passport: VALI, INS, ZFD-7 PA, ZFD-8."""
    retrieved = repository.written(ours(repository))
    identity = repository.person("1")
    proof = Proof(type="PA", high_trust=True, expiry="2031-05-02")
    [told] = repository.acts(acts.RecordProof(identity.id, identity.version, proof))
    checked = repository.written(told)
    assert (field(retrieved, "PID", 3), field(retrieved, "PID", 32)) == ("1^^^INSIGNE^PI", "PROV")
    assert segment(retrieved, "ZFD") == "ZFD|||||INSI|20260302"
    assert (field(checked, "PID", 3), field(checked, "PID", 32)) == (f"1^^^INSIGNE^PI~{FIRST}^^^{NIR}^INS", "VALI")
    assert segment(checked, "ZFD") == "ZFD|||||INSI|20260302|PA|20310502"


def test_editing_a_strict_trait_of_a_qualified_identity_takes_its_ins_back(repository):
    ours(repository)
    identity = repository.person("1")
    repository.acts(acts.RecordProof(identity.id, identity.version, Proof("PA", high_trust=True)))
    identity = repository.person("1")
    told = repository.acts(acts.EditTraits(identity.id, identity.version, cmd.TraitsAssertion(birth_name="X"), "typo"))
    assert triggers(told) == ["A47.downgrade", "A31"]
    assert field(repository.written(told[1]), "PID", 5).startswith("X^LUCE")


def test_the_search_that_must_precede_a_creation_is_told_to_nobody(repository):
    ours(repository)
    identity = repository.person("1")
    assert repository.acts(acts.NoteInsiOutcome(identity.id, "02")) == []
    assert repository.acts(acts.RefuseIns(identity.id, identity.version, "call", "another person")) == []


def merged(repository):
    for number in ("1", "2"):
        traits = cmd.TraitsAssertion("VERMILLON", "LUCE", "LUCE ADELE", "19800214", "F", "69123")
        search = acts.PriorSearch((("name", "VER"),), ())
        identifier = Identifier("PI", Authority("INSIGNE"), number)
        repository.acts(acts.CreateIdentity(identifier, traits, cmd.DetailsAssertion(), search))
    kept, gone = repository.person("1"), repository.person("2")
    repository.acts(acts.MergeIdentities(kept.id, gone.id, "double"))
    return repository.acts(acts.UnmergeIdentities(gone.id, "two people"))


def test_an_undone_merge_is_told_by_an_a37_and_an_a31_of_the_one_released(repository):
    told = merged(repository)
    assert triggers(told) == ["A37.unmerge", "A31.unmerged"]
    first, second = (repository.written(one) for one in told)
    assert [line.split("|")[3] for line in lines(first)[2:]] == ["2^^^INSIGNE^PI", "1^^^INSIGNE^PI"]
    assert field(second, "PID", 3) == "2^^^INSIGNE^PI"
    assert set(told[0].touched) == {repository.person("1").id, repository.person("2").id}


def test_users_of_a_receiver_without_a37_are_told_to_separate_the_patients(repository):
    unlink, update = merged(repository)
    held = repository.written(unlink, unsupported={"A37": "hold"})
    assert isinstance(held, Withheld)
    assert held.blocking
    assert "2 (INSIGNE) and 1 (INSIGNE) were merged by mistake" in held.text
    assert "ont été fusionnés à tort" in held.text_fr
    assert repository.written(update, unsupported={"A37": "hold"}) == Nothing("unmerge-by-hand")


# --- when the INS stays


def test_an_ins_does_not_leave_when_the_identity_is_no_longer_qualified_today(repository):
    """The A31 of Monday, first sent on Tuesday, after the identity became provisional: VALI as of Monday, no INS."""
    repository.receives(message("A28", pid(), "PV1||N"))
    [monday] = repository.receives(message("A31", pid(**QUALIFIED), "PV1||N"))
    repository.receives(message("A31", pid(), "PV1||N"))
    outcome = repository.written(monday)
    assert field(outcome, "PID", 3) == "1001^^^HOSP&1.2.250.1.999.1&ISO^PI"
    assert field(outcome, "PID", 32) == "VALI"


def test_a_replacement_is_sent_as_a_deletion_when_the_new_ins_may_not_leave_any_more(qualified):
    replaced, _ = qualified.receives(message("A47", pid(ins=ins(SECOND), status="VALI"), mrg(ins(FIRST))))
    qualified.receives(message("A31", pid(), "PV1||N"))
    outcome = qualified.written(replaced)
    assert field(outcome, "PID", 3).endswith(f'~""^^^{NIR}^INS')
    assert segment(outcome, "MRG") == f"MRG|{FIRST}^^^{NIR}^INS"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"ins": False}, "the receiver may not have it"),
        ({"edition": "2.9"}, "the edition came before it"),
        ({"identifier_types": ["PI"]}, "the receiver sees local numbers only"),
    ],
)
def test_an_ins_does_not_go_to_a_receiver_that_may_not_have_it(qualified, settings, why):
    told = baseline(qualified.person("1001"))
    assert "INS" not in field(qualified.written(told, **settings), "PID", 3), why
    [deleted] = qualified.receives(message("A47", pid(ins=f'""^^^{NIR}^INS', status="VALI"), mrg(ins(FIRST))))
    assert qualified.written(deleted, **settings) == Nothing("ins-not-shown")


def test_a_birth_date_completed_by_its_sender_keeps_the_ins_back(repository):
    [told] = repository.receives(message("A28", pid(**QUALIFIED), "PV1||N", "ZFD||||Y|INSI"))
    outcome = repository.written(told)
    assert "INS" not in field(outcome, "PID", 3)
    assert segment(outcome, "ZFD") == "ZFD||||Y|INSI"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PROV", "PROV"),
        ("VALI", "VALI"),
        ("VALI~HOMA", "VALI~HOMA"),
        ("PROV~DOUT", "PROV~DOUT"),
        ("PROV~FICT", "PROV~FICT"),
    ],
)
def test_the_status_is_computed_and_the_attributes_follow(repository, status, expected):
    [told] = repository.receives(message("A28", pid(status=status), "PV1||N"))
    assert field(repository.written(told), "PID", 32) == expected


def test_attributes_that_came_after_an_edition_are_left_out(repository):
    [told] = repository.receives(message("A28", pid(status="PROV~DOUT"), "PV1||N"))
    assert field(repository.written(told, edition="2.9"), "PID", 32) == "PROV"


def test_a_status_that_says_something_else_is_relayed_to_who_wants_it(repository):
    [told] = repository.receives(message("A28", pid(status="CACH"), "PV1||N"))
    assert field(repository.written(told), "PID", 32) == "PROV"
    assert field(repository.written(told, reliability="relayed"), "PID", 32) == "CACH"


# --- traits


def test_an_incomplete_birth_date_is_completed_and_flagged(repository):
    """Day and month unknown: 31 December by the rule of the RNIV, ZFD-1 as known, ZFD-4 Y."""
    [told] = repository.receives(message("A28", pid(birth="1980"), "PV1||N"))
    outcome = repository.written(told)
    assert field(outcome, "PID", 7) == "19801231"
    assert segment(outcome, "ZFD") == "ZFD|00^00^1980|||Y"


def test_a_lunar_birth_date_goes_in_zfd_alone(repository):
    [told] = repository.receives(message("A28", pid(birth="19801301"), "PV1||N", "ZFD|01^13^1980"))
    outcome = repository.written(told)
    assert (field(outcome, "PID", 7), segment(outcome, "ZFD")) == ("19800101", "ZFD|01^13^1980|||Y")


def test_an_edition_without_zfd_4_gets_the_part_of_the_date_that_is_known(repository):
    [told] = repository.receives(message("A28", pid(birth="198002"), "PV1||N"))
    assert field(repository.written(told, edition="2.9"), "PID", 7) == "198002"
    assert field(repository.written(told, edition="HL7-2.5"), "PID", 7) == "198002"


def test_an_undetermined_sex_is_written_u(repository):
    [told] = repository.receives(message("A28", pid(sex="U"), "PV1||N"))
    assert field(repository.written(told), "PID", 8) == "U"


def test_used_and_other_names_follow_the_birth_name(repository):
    names = "VERMILLON^LUCE^LUCE ADELE^^Mme^^L~TARDIEU^LUCIE^^^^^D~LULU^^^^^^S"
    [told] = repository.receives(message("A28", pid(names=names), "PV1||N"))
    assert field(repository.written(told), "PID", 5) == names


def test_given_names_after_the_first_are_written_for_who_reads_them_so(repository):
    [told] = repository.receives(message("A28", pid(), "PV1||N"))
    outcome = repository.written(told, edition="HL7-2.5", given_names="further")
    assert field(outcome, "PID", 5) == "VERMILLON^LUCE^ADELE^^Mme^^L"


def test_what_was_deleted_is_told_by_two_double_quotes(repository):
    repository.receives(message("A28", pid(phone="^PRN^PH^^^^^^^^^0102030405"), "PD1||A", "PV1||N"))
    [told] = repository.receives(message("A31", pid(phone='""'), 'PD1||""', "PV1||N"))
    outcome = repository.written(told)
    assert (field(outcome, "PID", 13), segment(outcome, "PD1")) == ('""', 'PD1||""')


def test_a_legal_mode_of_care_that_ends_is_cancelled_and_the_others_are_not_repeated(repository):
    first = "ZFS|1|X1^GAM^1.2.250.1.999.6^ISO|20260101||INSERT|SPL|1"
    second = "ZFS|1|X2^GAM^1.2.250.1.999.6^ISO|20260201||INSERT|SDT|7"
    repository.receives(message("A28", pid(), "PV1||N", first))
    [added] = repository.receives(message("A31", pid(), "PV1||N", second))
    [ended] = repository.receives(message("A31", pid(), "PV1||N", first.replace("INSERT", "CANCEL")))
    assert [line for line in lines(repository.written(added)) if line.startswith("ZFS")] == [
        "ZFS|1|X2^^1.2.250.1.999.6^ISO|20260201||INSERT|SDT|7"
    ]
    assert [line for line in lines(repository.written(ended)) if line.startswith("ZFS")] == [
        "ZFS|1|X1^^1.2.250.1.999.6^ISO|20260101||CANCEL|SPL|1"
    ]


def test_separators_and_line_ends_in_a_text_are_escaped(repository):
    names = "VER\\T\\MIL\\S\\LON^LUCE^LUCE^^^^L"
    [told] = repository.receives(message("A28", pid(names=names, address="A\\X0D\\B^^C^^1^FRA^H"), "PV1||N"))
    outcome = repository.written(told)
    assert field(outcome, "PID", 5).startswith("VER\\T\\MIL\\S\\LON^")
    assert field(outcome, "PID", 11).startswith("A\\X0D\\B^^C")


def test_a_new_receiver_is_told_of_an_identity_as_it_stands(qualified):
    outcome = qualified.written(baseline(qualified.person("1001")))
    assert isinstance(outcome, Encoded)
    assert outcome.event == "ADT^A28^ADT_A05"
    assert field(outcome, "PID", 3).endswith(f"~{FIRST}^^^{NIR}^INS")


def test_an_ins_that_a_merge_frees_is_told_after_the_merge(qualified):
    """2002 holds the same INS: contested, shown to nobody. Once 1001 is merged into it, nobody else holds it."""
    [created] = qualified.receives(message("A28", pid("2002", **QUALIFIED), "PV1||N"))
    assert "INS" not in field(qualified.written(created), "PID", 3)
    merge, freed = qualified.receives(message("A40", pid("2002"), mrg("1001")))
    assert triggers([merge, freed]) == ["A40", "A31"]
    assert field(qualified.written(freed), "PID", 3) == f"2002^^^HOSP&1.2.250.1.999.1&ISO^PI~{FIRST}^^^{NIR}^INS"
    assert (merge.author, freed.author) == ("GAM|HOSP", "")


@pytest.mark.parametrize(
    ("loses", "told"),
    [
        (message("A47", pid("2002", ins=f'""^^^{NIR}^INS', status="VALI"), mrg(ins(FIRST))), []),
        (message("A31", pid("2002"), "PV1||N"), ["A31"]),
        (message("A47", pid("2002", ins=ins(SECOND), status="VALI"), mrg(ins(FIRST))), ["A31"]),
        (message("A31", pid("2002", ins=ins(SECOND), status="VALI"), "PV1||N"), ["A31"]),
    ],
    ids=["deleted", "PROV", "replaced", "another one"],
)
def test_a_contested_ins_that_is_lost_is_named_to_nobody(qualified, loses, told):
    """2002 holds the INS of 1001 too: contested, so that no receiver was ever told that it is that of 2002."""
    qualified.receives(message("A28", pid("2002", **QUALIFIED), "PV1||N"))
    assert qualified.person("2002").ins.contested
    notices = qualified.receives(loses)
    assert triggers(notices) == told
    assert not any(FIRST in "".join(lines(qualified.written(one))) for one in notices)
    assert qualified.person("1001").qualified


def test_a_contested_ins_that_a_merge_takes_away_is_named_to_nobody(qualified):
    qualified.receives(message("A28", pid("2002", **QUALIFIED), "PV1||N"))
    qualified.receives(message("A28", pid("3003", ins=ins(SECOND), status="VALI"), "PV1||N"))
    [told] = qualified.receives(message("A40", pid("3003"), mrg("2002")))
    assert told.trigger == "A40"


def test_the_other_person_of_a_link_is_written_without_ins(qualified):
    qualified.receives(message("A28", pid("2002"), "PV1||N"))
    [link] = qualified.receives(message("A24", pid("2002"), pid("1001", **QUALIFIED), structure="ADT_A24"))
    first, second = (line.split("|")[3] for line in lines(qualified.written(link))[2:])
    assert (first[:4], second) == ("2002", "1001^^^HOSP&1.2.250.1.999.1&ISO^PI")


def test_a_billing_number_that_changes_is_told_by_an_a31(repository):
    def billed(number):
        billing = f"~{number}^^^ASIP-SANTE-NIR&1.2.250.1.213.1.4.8&ISO^NH"
        return pid().replace("ISO^PI|", f"ISO^PI{billing}|")

    repository.receives(message("A28", billed(FIRST), "PV1||N"))
    told = repository.receives(message("A31", billed(SECOND), "PV1||N"))
    assert triggers(told) == ["A31"]
    assert field(repository.written(told[0]), "PID", 3).endswith(
        f"~{SECOND}^^^ASIP-SANTE-NIR&1.2.250.1.213.1.4.8&ISO^NH"
    )


def test_a_notice_is_kept_as_json_and_read_back(qualified):
    told = qualified.receives(message("A47", pid(ins=ins(SECOND), status="VALI"), mrg(ins(FIRST))))
    for notice in told:
        assert msgspec.json.decode(msgspec.json.encode(notice), type=Notice) == notice


@pytest.mark.parametrize("control_id", ["x" * 21, ""])
def test_a_control_id_that_no_message_can_have_is_held(qualified, control_id):
    """MSH-10 has 1 to 20 characters."""
    told = baseline(qualified.person("1001"))
    dialect = dialect_of(SubscriptionSettings(), name="DPI")
    states = qualified.states_of(told)
    outcome = encode(told, states, qualified.person("1001"), dialect, control_id=control_id, time=NOON)
    assert isinstance(outcome, Withheld)
    assert [finding.rule for finding in outcome.findings] == ["V05"]


def test_an_ins_that_another_one_replaced_since_does_not_leave_any_more(qualified):
    """The A31 of Monday carried the first INS; told (again) on Tuesday, after the A47: no INS, never the former one."""
    [monday] = qualified.receives(message("A31", pid(**QUALIFIED, phone="^PRN^PH^^^^^^^^^0102030405"), "PV1||N"))
    assert FIRST in field(qualified.written(monday), "PID", 3)
    qualified.receives(message("A47", pid(ins=ins(SECOND), status="VALI"), mrg(ins(FIRST))))
    assert field(qualified.written(monday), "PID", 3) == "1001^^^HOSP&1.2.250.1.999.1&ISO^PI"
