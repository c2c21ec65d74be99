"""The answer of INSi that waits for a person: found, and shown as it is compared with the identity."""

from insigne.cli.common import Exit, fail, note
from insigne.cli.comparing import TITLES, side_by_side, trait_name
from insigne.cli.desk import Desk
from insigne.cli.tables import print_table
from insigne.ins.compare import Verdict
from insigne.ins.compare_sentences import CONCLUSIONS
from insigne.insi.desk import HeldReader, held_answer, held_elsewhere
from insigne.insi.outcomes import HeldAnswer
from insigne.registry.state import Identity


def waiting_answer(desk: Desk, view: HeldReader, identity: Identity) -> HeldAnswer:
    """The answer of INSi that waits for a person; the command ends when there is none (exit 1)."""
    held = held_answer(view, identity, desk.base.policy.comparison)
    if held is None:
        fail(
            Exit.PROBLEMS, "no answer of INSi waits for this identity: ask for it with `insigne identity retrieve-ins`"
        )
    return held


def show_answer(desk: Desk, identity: Identity, held: HeldAnswer) -> None:
    """Say, trait by trait, how the answer differs, and whether somebody else here holds that INS."""
    for line in held.comparison:
        if line["verdict"] != Verdict.IDENTICAL:
            note(f"  {trait_name(line['field'])} : {line['sentence_fr']}")
    if not desk.context.json:
        print_table(TITLES, side_by_side(identity, held), none="")
    note(CONCLUSIONS[Verdict(held.verdict)][1])
    with desk.base.store.read() as view:
        others = held_elsewhere(view, identity.id, held)
    if others:
        note(f"cette INS est déjà portée par une autre identité : {', '.join(others)}")
    note(f"réponse de l’appel {held.call} (--call)")
