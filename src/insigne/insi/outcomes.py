"""From what INSi answered to what the registry is told: pure."""

import msgspec

from insigne.ins.compare import DEFAULT_SETTINGS, Comparison, FieldComparison, compare
from insigne.ins.names import spaced_name
from insigne.ins.settings import ComparisonSettings
from insigne.insi.wire.model import FOUND, InsiAnswer, InsiFault, InsiResult, InsNumber
from insigne.registry.acts import NationalAnswer, NoteInsiOutcome
from insigne.registry.record import strict
from insigne.registry.state import Identity
from insigne.registry.values import Ins, NationalIns, Traits


class HeldAnswer(msgspec.Struct, frozen=True):
    """What waits for a person in a work item "to-compare": the answer, its comparison, the trace of the call.

    `comparison` has a line a trait: field, verdict, rule, sentence, sentence_fr; `verdict` is that of the whole.
    """

    answer: NationalAnswer
    comparison: tuple[dict[str, str], ...]
    call: str
    verdict: str


def given_names_of(identity: Identity) -> list[str]:
    """The birth given names in civil order, the first one, compound or not, as one item."""
    first, words = identity.traits.first_given_name, identity.traits.given_names.split()
    wanted, read = spaced_name(first).split(), list[str]()
    for taken, word in enumerate(words, start=1):
        read += spaced_name(word).split()
        if read == wanted:  # written in the list with or without its hyphen
            return [first, *words[taken:]]
    return [name for name in dict.fromkeys((first, *words)) if name]


def national_answer(answer: InsiAnswer, call: str, mode: str = "INSI") -> NationalAnswer:
    """An answer 00 as the registry takes it. Raises ValueError when it holds no identity."""
    if answer.active is None or answer.traits is None:
        raise ValueError("an answer 00 without identity")
    found = answer.traits
    traits = Traits(
        birth_name=found.birth_name,
        first_given_name="",
        given_names=found.given_names or found.given_name,
        birth_date=found.birth_date.replace("-", ""),
        sex=found.sex,
        birth_place=found.birth_place,
    )
    history = tuple(NationalIns(past.matricule, past.oid, past.start, past.end) for past in answer.history)
    return NationalAnswer(_ins(answer.active), traits, history, call, mode)


def _ins(number: InsNumber) -> Ins:
    return Ins(number.matricule, number.oid)


def compared(identity: Identity, answer: NationalAnswer, settings: ComparisonSettings = DEFAULT_SETTINGS) -> Comparison:
    """The answer beside the identity."""
    return compare(strict(identity.traits), strict(answer.traits), settings=settings)


def beside(identity: Identity, held: HeldAnswer, settings: ComparisonSettings = DEFAULT_SETTINGS) -> HeldAnswer:
    """An answer that waits, beside the identity as it is now: its traits may have changed since it came."""
    return _held(held.answer, compared(identity, held.answer, settings), held.call)


def _held(answer: NationalAnswer, comparison: Comparison, call: str) -> HeldAnswer:
    return HeldAnswer(answer, tuple(_line(one) for one in comparison.fields), call, str(comparison.verdict))


def outcome_of(
    identity: Identity,
    result: InsiResult,
    call: str,
    settings: ComparisonSettings = DEFAULT_SETTINGS,
    *,
    doubt: str = "",
    mode: str = "INSI",
) -> NoteInsiOutcome | None:
    """What to tell the registry; None for a fault, which is tried again.

    `settings`: what may be tolerated. `doubt`: what there is to say of the question itself, added to the cause. `mode`:
    that of `NationalAnswer`.
    """
    if isinstance(result, InsiFault):
        return None
    if result.code != FOUND:
        return NoteInsiOutcome(identity.id, result.code, cause=_cause(result.label, doubt))
    answer = national_answer(result, call, mode)
    comparison = compared(identity, answer, settings)
    held = _held(answer, comparison, call)
    return NoteInsiOutcome(
        identity.id, FOUND, held=msgspec.json.encode(held), cause=_cause(str(comparison.verdict), doubt)
    )


def _cause(told: str, doubt: str) -> str:
    return f"{told} ; {doubt}" if doubt else told


def _line(one: FieldComparison) -> dict[str, str]:
    return {
        "field": one.field,
        "verdict": str(one.verdict),
        "rule": one.rule,
        "sentence": one.sentence,
        "sentence_fr": one.sentence_fr,
    }
