"""Whatever people typed is written so that it is read back the same, or not sent at all."""

from hypothesis import given
from hypothesis import strategies as st

from insigne.hl7 import NULL, Message
from insigne.pam.encode import Encoded, Withheld
from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry.values import Address, Authority, Identifier, Telecom

from .conftest import Repository

#: Any text but surrogates, which no message can hold; what HL7 reads as nothing or as a deletion is no text.
text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda one: one.strip() == one and one != NULL and not one.isspace()
)
number = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=12).filter(
    lambda one: one.strip() == one and one != NULL
)
addresses = st.builds(Address, use=st.just("H"), street=text, complement=text, city=text, postal_code=text)
details = st.builds(
    cmd.DetailsAssertion,
    used_name=text,
    used_given_name=text,
    other_names=st.lists(st.tuples(st.just("S"), text, text), min_size=1, max_size=2).map(tuple),
    mother_name=text,
    addresses=st.lists(addresses, min_size=1, max_size=2).map(tuple),
    telecoms=st.lists(st.builds(Telecom, use=st.just("PRN"), kind=st.just("PH"), value=text), min_size=1).map(tuple),
    birth_place_text=text,
    birth_city=text,
)
names = st.builds(
    cmd.TraitsAssertion,
    birth_name=text,
    first_given_name=text,
    given_names=text,
    birth_date=st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8)),
    sex=st.sampled_from("MFI"),
    birth_place=st.just("69123"),
)


def created(number, traits, details):
    repository = Repository()
    identifier = Identifier("PI", Authority("HOSP", "1.2.250.1.999.1", "ISO"), number)
    command = cmd.RecordPatient(cmd.Patient((identifier,), reliability=("PROV",), traits=traits, details=details))
    return repository, repository.applies(command)


@given(number, names, details)
def test_any_text_is_read_back_as_it_was(number, traits, details):
    repository, [told] = created(number, traits, details)
    outcome = repository.written(told)
    assert isinstance(outcome, Encoded), outcome
    mirror = Repository()
    mirror.receives(Message.parse(outcome.raw))
    [expected], [heard] = repository.identities(), mirror.identities()
    assert heard.traits == expected.traits
    assert [one.identifier for one in heard.identifiers] == [one.identifier for one in expected.identifiers]
    for name in ("used_name", "used_given_name", "other_names", "mother_name", "addresses", "telecoms", "birth_city"):
        assert getattr(heard.details, name) == getattr(expected.details, name)


@given(number, names, details, st.sampled_from(["iso8859-1", "iso8859-15", "ascii"]))
def test_a_narrow_character_set_never_writes_another_text(number, traits, details, charset):
    repository, [told] = created(number, traits, details)
    outcome = repository.written(told, charset=charset)
    if isinstance(outcome, Withheld):
        assert outcome.reason_code == "charset"
        return
    mirror = Repository()
    mirror.receives(Message.parse(outcome.raw))
    assert mirror.identities()[0].traits == repository.identities()[0].traits


@given(number, names, details)
def test_a_receiver_that_accepts_it_always_gets_a_message(number, traits, details):
    repository, [told] = created(number, traits, details)
    outcome = repository.written(told, charset="ascii", unencodable="transliterate")
    assert isinstance(outcome, Encoded), outcome
    assert outcome.raw.isascii()


def test_transliteration_makes_no_delimiter_nor_deletion_of_a_text():
    """Full-width signs decompose into delimiters, curly quotes into what asks to delete: neither may."""
    traits = cmd.TraitsAssertion("A\uff5cB\uff3eC\uff06D", "\u201c\u201d", "\uff02\uff02", "19800214", "F", "69123")
    repository, [told] = created("1", traits, cmd.DetailsAssertion())
    outcome = repository.written(told, charset="ascii", unencodable="transliterate")
    assert b"|A?B?C?D^''^??^^^^L|" in outcome.raw


def test_two_double_quotes_that_somebody_typed_delete_nothing():
    repository, [told] = created("1", cmd.TraitsAssertion(birth_name='""'), cmd.DetailsAssertion())
    assert Message.parse(repository.written(told).raw).value("PID-5") == '""'
    assert rb"|\X2222\^" in repository.written(told).raw


def test_acts_are_part_of_the_same_story():
    """The name of a person typed here goes through the same writer."""
    repository = Repository()
    identifier = Identifier("PI", Authority("INSIGNE"), "7")
    traits = cmd.TraitsAssertion("O'BR|EN", "ANNE^MARIE", "ANNE^MARIE", "19800214", "F", "69123")
    [told] = repository.acts(
        acts.CreateIdentity(identifier, traits, cmd.DetailsAssertion(), acts.PriorSearch((("name", "OBR"),), ()))
    )
    assert rb"O'BR\F\EN^ANNE\S\MARIE^ANNE\S\MARIE^^^^L" in repository.written(told).raw
