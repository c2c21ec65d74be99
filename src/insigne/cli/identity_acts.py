"""`insigne identity create`, `edit`, `set-attribute`, `merge`, `unmerge`: acts of a named person."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from insigne.access import Right
from insigne.cli.common import Context, Exit, emit, examples, fail, group_app, note
from insigne.cli.desk import As, Desk, Reason, Seen, at_desk, entering
from insigne.cli.identity import IdArgument, row
from insigne.cli.tables import print_table
from insigne.exchange.creation import next_identifier, own_authority, prior_search
from insigne.exchange.desk import (
    NOTHING,
    assertion,
    attributes_after,
    details_at_creation,
    edits,
    entered,
    merging,
)
from insigne.fhir import Resource, patient_of
from insigne.ins.cog import bundled_cog
from insigne.ins.remarks import Remark
from insigne.ins.status import Attribute
from insigne.ins.traits import StrictTraits
from insigne.registry import acts
from insigne.registry.commands import DetailsAssertion
from insigne.registry.values import Authority

app = group_app("Acts of a person on identities that are ours.")

_TITLES: Final = ("id", "status", "birth name", "given name", "born", "gender", "identifier")

BirthName = Annotated[str, typer.Option(help="Birth name.")]
GivenNames = Annotated[
    str, typer.Option("--given-names", metavar="LIST", help="All birth given names, in civil order.")
]
Sex = Annotated[str, typer.Option(metavar="M|F|I", help="Sex; I when it is undetermined.")]
Born = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Birth date; 00 for an unknown month or day.")]
Place = Annotated[str, typer.Option(metavar="COG", help="INSEE code of the birthplace, 99999 when unknown.")]
UsedName = Annotated[str | None, typer.Option(help="Used name, as the person says it.")]
UsedGiven = Annotated[str | None, typer.Option(help="Used given name, as the person says it.")]
Nationality = Annotated[str | None, typer.Option(metavar="FRA", help="Nationality, ISO 3166-1, three letters.")]


@app.command(
    epilog=examples(
        "insigne identity create --birth-name DARK --given JEANNE --given MARIE --sex F --birth-date 1960-05-30 \\\n"
        "      --birth-place 88154 --as claire.dupont",
        "insigne identity create … --despite-matches --as claire.dupont --json",
        "insigne identity create … --attribute FICT --reason 'séjour sous X' --as claire.dupont",
    )
)
def create(
    ctx: typer.Context,
    *,
    birth_name: BirthName,
    given: Annotated[list[str], typer.Option(help="Birth given name; the first one, then the others in civil order.")],
    sex: Sex,
    birth_date: Born,
    birth_place: Place,
    given_names: GivenNames = "",
    used_name: UsedName = None,
    used_given: UsedGiven = None,
    nationality: Nationality = None,
    mother: Annotated[str | None, typer.Option(metavar="NAME", help="Birth name of the mother, for a newborn.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="HOMA, DOUT (unknown patient) or FICT (anonymous); repeatable.")
    ] = None,
    newborn: Annotated[bool, typer.Option("--newborn", help="Ask later for what is not known yet.")] = False,
    despite_matches: Annotated[
        bool, typer.Option("--despite-matches", help="Create although the search found somebody alike.")
    ] = False,
    reason: Reason = "",
    user: As = "",
) -> None:
    """Create a provisional identity, after the search that the RNIV makes compulsory.

    The base is searched for the birth date, then the first letters of the names. When somebody is found, they are
    shown and nothing is created, unless --despite-matches says that none of them is this person. The search and what
    it found are kept with the identity.
    """
    context, attributes = Context.of(ctx), _attributes(attribute)
    listed = given_names or (" ".join(given) if len(given) > 1 else "")
    with entering():
        entry = entered(
            StrictTraits(birth_name, given[0], listed, birth_date, sex.upper(), birth_place), datetime.now(UTC).date()
        )
    _say(entry.remarks)
    said = DetailsAssertion(
        used_name=used_name, used_given_name=used_given, nationality=nationality, mother_name=mother
    )
    details = details_at_creation(said, entry, birth_date)
    with at_desk(context, user, Right.IDENTITY_CREATE) as desk:
        authority = _own_authority(desk)
        source = desk.source()
        with desk.base.store.begin() as transaction:  # nobody creates the same person between the search and this
            search, alike = _prior_search(desk, entry.traits)
            if alike and not despite_matches:
                _show_alike(context, alike)
            number = next_identifier(transaction, authority)
            traits = assertion(entry.traits)
            act = acts.CreateIdentity(number, traits, details, search, reason, attributes, newborn)
            [decision] = desk.base.registrar.act_within(transaction, [(act, source)])
            transaction.commit()
        desk.show(decision.subject)


@app.command(
    epilog=examples(
        "insigne identity edit 'INSIGNE|12' --birth-name DUPONT --reason 'carte d’identité' --as claire.dupont",
        "insigne identity edit 'INSIGNE|12' --used-name DURAND --as claire.dupont",
    )
)
def edit(
    ctx: typer.Context,
    identity: IdArgument,
    *,
    birth_name: BirthName = "",
    first_given: Annotated[str, typer.Option("--first-given", help="First birth given name.")] = "",
    given_names: GivenNames = "",
    sex: Sex = "",
    birth_date: Born = "",
    birth_place: Place = "",
    used_name: UsedName = None,
    used_given: UsedGiven = None,
    nationality: Nationality = None,
    reason: Reason = "",
    version: Seen = 0,
    user: As = "",
) -> None:
    """Change traits. A strict trait that changes makes the identity provisional again, and its INS goes to the history.

    The first birth given name may be chosen at any status among the beginnings of the list.
    """
    context = Context.of(ctx)
    said = StrictTraits(birth_name, first_given, given_names, birth_date, sex.upper(), birth_place)
    details = DetailsAssertion(used_name=used_name, used_given_name=used_given, nationality=nationality)
    if said != NOTHING and not reason:
        fail(Exit.USAGE, "--reason: say why a strict trait changes")
    with at_desk(context, user, Right.IDENTITY_EDIT) as desk:
        found = desk.named(identity, itself=bool(version))
        with entering():
            wanted, remarks = edits(found, said, details, version or found.version, reason, datetime.now(UTC).date())
        _say(remarks)
        if wanted:
            desk.act(*wanted)
        desk.show(found.id)


@app.command(
    "set-attribute",
    epilog=examples(
        "insigne identity set-attribute 'INSIGNE|12' DOUT --reason 'usurpation suspectée' --as claire.dupont",
        "insigne identity set-attribute 'INSIGNE|12' --lift DOUT --reason 'pièce revue' --as claire.dupont",
    ),
)
def set_attribute(
    ctx: typer.Context,
    identity: IdArgument,
    put: Annotated[
        list[str] | None, typer.Argument(metavar="ATTRIBUTE…", help="To set beside those there are: HOMA, DOUT, FICT.")
    ] = None,
    *,
    lift: Annotated[
        list[str] | None, typer.Option("--lift", metavar="ATTRIBUTE", help="One to lift; repeatable.")
    ] = None,
    reason: Reason,
    version: Seen = 0,
    user: As = "",
) -> None:
    """Set or lift the attributes homonyme (HOMA), douteuse (DOUT), fictive (FICT).

    DOUT and FICT make the identity provisional and send its INS to the history; lifting them restores nothing.
    """
    context = Context.of(ctx)
    with at_desk(context, user, Right.IDENTITY_ATTRIBUTE) as desk:
        found = desk.named(identity, itself=bool(version))
        with entering():
            attributes = attributes_after(found, put or (), lift or ())
        desk.act(acts.SetAttributes(found.id, version or found.version, attributes, reason))
        desk.show(found.id)


@app.command(
    epilog=examples("insigne identity merge 'INSIGNE|12' 'INSIGNE|31' --reason 'même personne' --as claire.dupont")
)
def merge(
    ctx: typer.Context,
    survivor: IdArgument,
    absorbed: Annotated[str, typer.Argument(metavar="ABSORBED", help="The identity that is merged, as ID.")],
    *,
    reason: Reason,
    user: As = "",
) -> None:
    """Merge an identity into the one that survives. Refused when they hold different INS, or one is DOUT or FICT."""
    context = Context.of(ctx)
    with at_desk(context, user, Right.IDENTITY_MERGE) as desk:
        kept, gone = desk.named(survivor), desk.named(absorbed, itself=True)
        if merging(kept, gone):
            note(f"the identity absorbed is better established ({gone.status}) than its survivor ({kept.status})")
        desk.act(acts.MergeIdentities(kept.id, gone.id, reason))
        desk.show(kept.id)


@app.command(epilog=examples("insigne identity unmerge 'INSIGNE|31' --reason 'deux sœurs' --as claire.dupont"))
def unmerge(
    ctx: typer.Context,
    absorbed: Annotated[str, typer.Argument(metavar="ABSORBED", help="The identity that was merged, as ID.")],
    *,
    reason: Reason,
    user: As = "",
) -> None:
    """Undo a merge: the identity stands again as it was; what came since is in a work item, to be sorted."""
    context = Context.of(ctx)
    with at_desk(context, user, Right.IDENTITY_MERGE) as desk:
        merged = desk.merged(absorbed)
        desk.act(acts.UnmergeIdentities(merged.id, reason))
        desk.show(merged.id)


def _attributes(asked: list[str] | None) -> tuple[str, ...]:
    """The attributes asked for; one that does not exist ends the command (exit 2)."""
    if unknown := set(asked or ()) - set(Attribute):
        fail(Exit.USAGE, f"--attribute: {', '.join(sorted(unknown))} is none of {', '.join(Attribute)}")
    return tuple(asked or ())


def _say(remarks: tuple[Remark, ...]) -> None:
    """Say what the rules of entry doubt."""
    for remark in remarks:
        note(remark.message)


def _prior_search(desk: Desk, traits: StrictTraits) -> tuple[acts.PriorSearch, list[Resource]]:
    """The compulsory search, and the Patients it found."""
    with desk.base.store.read() as view:
        search, alike = prior_search(view, traits.birth_name, traits.first_given_name, traits.birth_date)
        return search, [patient_of(view.identity, identity, bundled_cog()) for identity in alike]


def _show_alike(context: Context, alike: list[Resource]) -> None:
    """Show who was found, and end the command: nothing is created."""
    if context.json:
        emit({"candidates": alike})
    else:
        print_table(_TITLES, map(row, alike), none="")
    fail(
        Exit.PROBLEMS,
        f"nothing created: {len(alike)} found with this birth date and a like name; if none of them is this person, "
        "add --despite-matches",
    )


def _own_authority(desk: Desk) -> Authority:
    authority = own_authority(desk.context.config.ri.authorities, desk.base.policy)
    if authority is None:
        fail(Exit.USAGE, "ri.authorities: name the authority under which identities are created here")
    return authority
