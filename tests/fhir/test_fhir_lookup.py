"""Finding who an identifier names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.fhir import family, patient_of, resolve, split_token, survivor
from insigne.fhir.identifiers import authority_of, system_of
from insigne.ins.matricule import NIA_OID, NIR_OID
from insigne.registry.index import identity_keys
from insigne.registry.state import HeldIdentifier, HeldIns, PastIns
from insigne.registry.values import Authority, Identifier, Ins

SINCE = "2026-03-01T08:00:00.000Z"
LATER = "2026-04-01T08:00:00.000Z"


class Base:
    """Identities in memory, found as the store finds them."""

    def __init__(self, *identities):
        self.all = {identity.id: identity for identity in identities}

    def identity(self, identity_id):
        return self.all.get(identity_id)

    def holders(self, key):
        return [i.id for i in self.all.values() if key in identity_keys(i)]

    def find_identity(self, authority, value, types):
        return [
            i.id
            for i in self.all.values()
            for held in i.identifiers
            if held.identifier.value == value
            and held.identifier.type in types
            and authority in (held.identifier.authority.universal_id, held.identifier.authority.namespace)
        ]


def test_a_pair_is_split_at_its_last_bar():
    assert split_token("GAM|4071") == ("GAM", "4071")
    assert split_token("urn:oid:1.2.3|4071") == ("1.2.3", "4071")
    assert split_token("urn:x-insigne:authority:GROUPE%20SUD|4071") == ("GROUPE SUD", "4071")


@pytest.mark.parametrize("text", ["01JMARGOT", "|4071", "GAM|", ""])
def test_what_is_not_a_pair_is_none(text):
    assert split_token(text) is None


@given(st.text(min_size=1, max_size=30))
def test_the_system_of_an_authority_leads_back_to_it(name):
    system = system_of(Authority(namespace=name))
    assert authority_of(system).lower() == name.lower()


def test_an_identifier_is_found_by_oid_or_namespace(person):
    base = Base(person())
    assert [i.id for i in resolve(base, "1.2.250.1.999.7.1", "4071")] == ["01JMARGOT"]
    assert [i.id for i in resolve(base, "GAM", "4071")] == ["01JMARGOT"]
    assert resolve(base, "OTHER", "4071") == []


def test_a_matricule_is_looked_up_as_an_ins_never_as_a_billing_nir(person, qualified):
    billing = Identifier("NH", Authority("ASIP-SANTE-NIR", NIR_OID, "ISO"), "285076311304226")
    payer = person(id="01JPAYER", identifiers=(HeldIdentifier(billing, SINCE),))
    assert resolve(Base(payer), NIR_OID, "285076311304226") == []
    found = resolve(Base(payer, qualified()), NIR_OID, "2 85 07 63 113 042 26")
    assert [i.id for i in found] == ["01JMARGOT"]


def test_an_ins_is_found_by_the_namespace_of_its_authority_too(qualified):
    assert [i.id for i in resolve(Base(qualified()), "ASIP-SANTE-INS-NIR", "285076311304226")] == ["01JMARGOT"]


def test_the_same_matricule_under_another_oid_is_another_ins(qualified):
    assert resolve(Base(qualified()), "1.2.250.1.213.1.4.9", "285076311304226") == []


def test_a_merged_identity_answers_by_the_end_of_the_chain(person):
    first = person(id="A", merged_into="B")
    second = person(id="B", merged_into="C", absorbed=("A",), identifiers=())
    last = person(id="C", absorbed=("B",), identifiers=())
    base = Base(first, second, last)
    assert [i.id for i in resolve(base, "GAM", "4071")] == ["C"]
    assert [i.id for i in family(base.identity, last)] == ["B", "A"]
    shown = patient_of(base.identity, first)
    assert (shown["id"], [i["use"] for i in shown["identifier"]]) == ("C", ["old"])


def test_merges_in_a_circle_are_an_error_not_a_hang(person):
    base = Base(person(id="A", merged_into="B"), person(id="B", merged_into="A"))
    with pytest.raises(LookupError):
        survivor(base.identity, base.all["A"])


def test_of_the_holders_of_an_ins_the_qualified_come_first(qualified):
    base = Base(qualified(id="A", checked=False), qualified(id="B"))
    assert [i.id for i in resolve(base, NIR_OID, "285076311304226")] == ["B", "A"]


def test_an_ins_that_was_replaced_still_names_its_identity_after_those_that_hold_it(person, qualified):
    new = HeldIns(Ins("285076311304226", NIR_OID), LATER)
    past = PastIns(Ins("285079911304278", NIR_OID), SINCE, LATER, "replaced by A47", replaced=True)
    changed = qualified(ins=new, ins_history=(past,))
    holder = person(id="01JHOLDER", ins=HeldIns(past.ins, LATER, contested=True))
    assert [i.id for i in resolve(Base(changed), NIR_OID, "285079911304278")] == [changed.id]
    assert [i.id for i in resolve(Base(changed, holder), NIR_OID, "285079911304278")] == ["01JHOLDER", changed.id]
    assert resolve(Base(changed), NIA_OID, "285079911304278") == []


def test_an_ins_that_was_deleted_or_lost_names_nobody(person):
    past = PastIns(Ins("285079911304278", NIR_OID), SINCE, LATER, "deleted by A47")
    assert resolve(Base(person(ins_history=(past,))), NIR_OID, "285079911304278") == []


def test_before_an_identifier_was_given_it_names_nobody(person):
    before = Base(person(identifiers=()))
    assert resolve(Base(person()), "GAM", "4071", before.identity) == []
