"""What stands for the criteria of a call to INSi in the log of calls."""

from insigne.insi.wire import Request
from insigne.simulate.calls import criteria_hash


def criteria_of(request: Request) -> str:
    """Return the hash of the criteria of a call, absent values being empty.

    WS_INS2: birth name, given name, sex, birth date, birthplace. WS_INS1: holder's number, beneficiary's number, birth
    name, birth date, rank.
    """
    traits, card = request.traits, request.vitale
    if traits is not None:
        return criteria_hash(traits.birth_name, traits.given_name, traits.sex, traits.birth_date, traits.birth_place)
    if card is not None:
        return criteria_hash(card.holder, card.individual, card.birth_name, card.birth_date, card.birth_rank)
    return ""
