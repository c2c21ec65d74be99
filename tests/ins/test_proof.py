"""Identity documents: who may use which, what must be seen beside it, and what a site may configure."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.proof import Holder, Proof, ProofRules, assess, copy_expires, is_minor
from insigne.ins.proof_types import PROOF_TYPES, proof_types
from insigne.ins.settings import ProofSettings, ProofTypeSettings

TODAY = date(2026, 3, 9)
ADULT = Holder("19840217", "FRA")
MINOR = Holder("20190601", "FRA")
FOREIGNER = Holder("19840217", "MAR")
RESIDENT = Holder("19310217", "FRA", ehpad_admission=True)


def reasons(proof: Proof, holder: Holder, settings: ProofSettings | None = None) -> list[str]:
    verdict = assess(proof, holder, TODAY, ProofRules.of(settings or ProofSettings()))
    assert verdict.high_trust is not bool(verdict.reasons)
    return [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize("holder", [ADULT, MINOR, FOREIGNER, RESIDENT, Holder("", "")])
@pytest.mark.parametrize("code", ["PA", "IN", "AV", "IE"])
def test_passports_and_electronic_identities_are_for_everybody(code, holder):
    assert reasons(Proof(code), holder) == []


@pytest.mark.parametrize("code", ["CN", "CE", "eCN"])
def test_identity_cards_are_for_nationals_of_europe(code):
    assert reasons(Proof(code), ADULT) == []
    assert reasons(Proof(code), Holder("19840217", "NOR")) == []
    assert reasons(Proof(code), FOREIGNER) == ["proof-audience"]


def test_an_unknown_nationality_draws_a_reminder_to_look_at_the_card():
    verdict = assess(Proof("CN"), Holder("19840217"), TODAY)
    assert verdict.high_trust
    assert [reminder.code for reminder in verdict.reminders] == ["proof-state"]


def test_a_residence_permit_is_of_high_trust_for_foreigners():
    assert reasons(Proof("CS"), FOREIGNER) == []
    assert reasons(Proof("CS"), Holder("19840217", "CHE")) == []


@pytest.mark.parametrize(
    ("code", "reason"), [("PC", "proof-refused"), ("CV", "proof-refused"), ("CM", "proof-low-trust")]
)
@pytest.mark.parametrize("holder", [ADULT, MINOR, RESIDENT])
def test_a_driving_licence_a_carte_vitale_and_a_military_card_validate_nobody(code, reason, holder):
    assert reasons(Proof(code), holder) == [reason]


def test_the_refusal_of_a_driving_licence_is_said_in_both_languages():
    (reason,) = assess(Proof("PC"), ADULT, TODAY).reasons
    assert reason.message == "A driving licence is not of high trust"
    assert reason.message_fr == "Le permis de conduire n’est pas à haut niveau de confiance"


@pytest.mark.parametrize("code", ["AN", "LE", "LEP"])
def test_a_birth_extract_or_family_book_validates_no_adult_even_with_a_parent(code):
    assert reasons(Proof(code), ADULT) == ["proof-audience"]
    assert reasons(Proof(code, guardian=Proof("PA")), ADULT) == ["proof-audience"]


@pytest.mark.parametrize("code", ["AN", "LE", "LEP"])
def test_a_minor_without_document_needs_that_of_a_parent_too(code):
    assert reasons(Proof(code), MINOR) == ["proof-guardian"]
    verdict = assess(Proof(code, guardian=Proof("CN", date(2030, 1, 1))), MINOR, TODAY)
    assert verdict.high_trust
    assert [reminder.code for reminder in verdict.reminders] == ["proof-court"]


@pytest.mark.parametrize(
    "guardian", [Proof("PC"), Proof("AN"), Proof("LECV"), Proof("CC"), Proof("PA", date(2026, 3, 8))]
)
def test_the_document_of_the_parent_must_itself_be_of_high_trust(guardian):
    assert reasons(Proof("AN", guardian=guardian), MINOR) == ["proof-guardian-trust"]


def test_a_circulation_document_is_for_foreign_minors():
    assert reasons(Proof("CC"), Holder("20190601", "MAR")) == []
    assert reasons(Proof("CC"), FOREIGNER) == ["proof-audience"]


@pytest.mark.parametrize("code", ["LECV", "ANCV"])
def test_a_family_book_with_a_carte_vitale_is_for_direct_admission_to_a_nursing_home(code):
    assert assess(Proof(code), RESIDENT, TODAY).high_trust
    (reminder,) = assess(Proof(code), RESIDENT, TODAY).reminders
    assert reminder.code == "proof-photo"
    (reason,) = assess(Proof(code), ADULT, TODAY).reasons
    assert reason.message_fr.endswith("que pour une admission directe en EHPAD")


def test_a_document_is_valid_until_the_end_of_its_last_day():
    assert reasons(Proof("PA", TODAY), ADULT) == []
    assert reasons(Proof("PA", date(2026, 3, 8)), ADULT) == ["proof-expired"]
    assert reasons(Proof("PA", date(2026, 3, 8)), ADULT, ProofSettings(expired="accept")) == []


def test_every_reason_is_given():
    assert reasons(Proof("CN", date(2020, 1, 1)), FOREIGNER) == ["proof-audience", "proof-expired"]


def test_no_document_is_chosen_in_advance():
    with pytest.raises(TypeError):
        Proof()
    assert reasons(Proof(""), ADULT) == ["proof-not-chosen"]


def test_a_document_outside_the_list_of_the_site_has_no_trust():
    assert reasons(Proof("ZZ"), ADULT) == ["proof-unknown"]
    assert reasons(Proof("AV"), ADULT, ProofSettings(removed=("AV",))) == ["proof-unknown"]


def test_a_trusted_third_party_counts_once_the_site_says_it_has_a_contract():
    assert reasons(Proof("TC"), ADULT) == ["proof-contract"]
    settings = ProofSettings(types=(ProofTypeSettings(code="TC", trust="high"),))
    assert reasons(Proof("TC"), ADULT, settings) == []


def test_a_site_adds_and_lowers_documents():
    settings = ProofSettings(
        types=(
            ProofTypeSettings(code="CMP", label="Pass of the site", label_fr="Carte du site", trust="high", zfd7="TC"),
            ProofTypeSettings(code="IN", trust="none"),
        )
    )
    types = proof_types(settings)
    assert (types["CMP"].label_fr, types["CMP"].zfd7) == ("Carte du site", "TC")
    assert list(types)[-1] == "CMP"
    assert reasons(Proof("CMP"), ADULT, settings) == []
    assert reasons(Proof("IN"), ADULT, settings) == ["proof-low-trust"]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (ProofSettings(removed=("XX",)), "no identity document 'XX'"),
        (ProofSettings(types=(ProofTypeSettings(code="CMP", trust="high"),)), "'CMP' is new: give it a label"),
        (ProofSettings(types=(ProofTypeSettings(code="PC", trust="high"),)), "'PC' cannot have high trust"),
        (ProofSettings(removed=("PC",), types=(ProofTypeSettings(code="PC", trust="high"),)), "'PC' is also removed"),
        (ProofSettings(types=(ProofTypeSettings(code="PA"), ProofTypeSettings(code="PA"))), "'PA' is told twice"),
    ],
)
def test_settings_that_contradict_the_list_are_refused_by_name(settings, fault):
    with pytest.raises(ValueError, match=fault):
        ProofRules.of(settings)


def test_another_reading_of_the_nationalities_is_a_setting():
    british = Holder("19840217", "GBR")
    default = ProofSettings()
    assert reasons(Proof("CN"), british) == ["proof-audience"]
    assert reasons(Proof("CN"), british, ProofSettings(nationalities=(*default.nationalities, "GBR"))) == []


def test_the_settings_read_from_a_file_are_checked():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"types": [{"code": "TC", "trust": "medium"}]}, ProofSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"types": [{"code": "TC", "audience": []}]}, ProofSettings)


# Table ZFD-7 of PAM-FR 2.11.2.
ZFD7 = {"AN", "CC", "CE", "CM", "CN", "CS", "LE", "PA", "PC", "TC", "AV", "DC", "AC", "IE"}
# FR Core, modes of validation of an identity.
FR_CORE = {"CN", "PA", "CS", "eCN", "IN", "AN", "LE", "LEP", "LECV", "ANCV", "CC", "AV", "TC"}


def test_every_document_has_codes_of_the_standards():
    assert {kind.zfd7 for kind in PROOF_TYPES} - {""} <= ZFD7
    assert {kind.fr_core for kind in PROOF_TYPES} - {""} == FR_CORE
    assert len({kind.code for kind in PROOF_TYPES}) == len(PROOF_TYPES)
    assert {kind.code for kind in PROOF_TYPES if kind.electronic} == {"eCN", "IN", "AV", "IE"}


@pytest.mark.parametrize(
    ("birth_date", "minor"),
    [
        ("20080310", True),  # 18 tomorrow
        ("20080309", False),  # 18 today
        ("2008", False),  # may be 18 already
        ("2009", True),
        ("2009-13-01", True),  # lunar
        ("", False),
        ("?", False),
    ],
)
def test_a_minor_is_surely_under_eighteen(birth_date, minor):
    assert is_minor(birth_date, TODAY) is minor


def test_a_person_born_on_29_february_comes_of_age_on_1_march():
    assert is_minor("20080229", date(2026, 2, 28))
    assert not is_minor("20080229", date(2026, 3, 1))


def test_a_copy_is_erased_five_years_after_it_was_recorded():
    assert copy_expires(date(2026, 3, 9)) == date(2031, 3, 9)
    assert copy_expires(date(2024, 2, 29)) == date(2029, 2, 28)
    assert copy_expires(date(2026, 3, 9), years=2) == date(2028, 3, 9)


CODES = st.sampled_from([kind.code for kind in PROOF_TYPES])
PROOFS = st.builds(Proof, CODES, st.none() | st.dates(), st.none() | st.builds(Proof, CODES, st.none() | st.dates()))


@given(PROOFS, st.builds(Holder, st.sampled_from(["", "1950", "20200101"]), st.sampled_from(["", "FRA", "MAR"])))
def test_high_trust_and_reasons_exclude_each_other(proof, holder):
    verdict = assess(proof, holder, TODAY)
    assert verdict.high_trust is not bool(verdict.reasons)
    assert not (verdict.high_trust and proof.code in {"PC", "CV", "CM", "TC"})
