"""Creating, editing, marking, merging and unmerging: the handlers."""

from typing import Final

from starlette.responses import Response

from insigne.api.acts_bodies import Create, Edit, Merge, SetAttribute, Unmerge, read
from insigne.api.acts_desk import ActsDesk, Asked
from insigne.api.problems import Error, Problem
from insigne.exchange.creation import next_identifier, prior_search
from insigne.exchange.desk import (
    NOTHING,
    assertion,
    attributes_after,
    details_at_creation,
    edits,
    entered,
    merging,
)
from insigne.registry import acts

#: Patients shown of those the compulsory search found.
_MOST_CANDIDATES: Final = 50


def create(desk: ActsDesk, asked: Asked) -> Response:
    """A provisional identity, unless the compulsory search finds somebody the person has not said it is not.

    The search is made while nobody else writes: of two who create the same person at once, the second is shown the
    first one's.
    """
    body = read(asked.body, Create)
    entry = entered(body.traits.strict(), desk.today())
    details = details_at_creation(body.details.said(), entry, body.traits.birth_date)
    traits, source = entry.traits, desk.source(asked.user)
    with desk.writing() as transaction:
        with desk.deps.read() as view:
            search, alike = prior_search(view, traits.birth_name, traits.first_given_name, traits.birth_date)
            others = desk.ids(view, body.none_of)
            unseen = [one for one in desk.patients(view, alike) if one["id"] not in others]
        if unseen:
            raise Problem(
                409,
                "alike",
                "nothing created: people with this birth date and a like name are known; look at the candidates, then "
                "use one of them, or name them in none_of",
                "rien n’est créé : des personnes nées ce jour-là portent un nom proche ; consultez candidates, puis "
                "utilisez l’une d’elles, ou citez-les dans none_of",
                more={"candidates": unseen[:_MOST_CANDIDATES], "found": len(unseen)},
            )
        number = next_identifier(transaction, desk.deps.authority)
        attributes = tuple(body.attributes)
        act = acts.CreateIdentity(number, assertion(traits), details, search, body.reason, attributes, body.newborn)
        [decision] = desk.deps.registrar.act_within(transaction, [(act, source)])
        transaction.commit()
    return desk.shown(asked, decision.subject, entry.remarks, 201)


def edit(desk: ActsDesk, asked: Asked) -> Response:
    """Traits changed; a strict one makes the identity provisional, and its INS goes to the history."""
    body = read(asked.body, Edit)
    said = body.traits.strict()
    if said != NOTHING and not body.reason:
        fault = Error("reason", "required", "say why a strict trait changes", "Dites pourquoi un trait strict change")
        raise Problem(422, "reason", fault.remedy, fault.remedy_fr, [fault])
    identity, version = desk.found(asked)
    wanted, remarks = edits(identity, said, body.details.said(), version, body.reason, desk.today())
    if not wanted:
        fault = Error("traits", "required", "give a trait to change", "Donnez un trait à modifier")
        raise Problem(422, "nothing", fault.remedy, fault.remedy_fr, [fault])
    return desk.shown(asked, desk.act(asked, *wanted), remarks)


def set_attribute(desk: ActsDesk, asked: Asked) -> Response:
    """Attributes set or lifted; DOUT and FICT make the identity provisional."""
    body = read(asked.body, SetAttribute)
    identity, version = desk.found(asked)
    attributes = attributes_after(identity, body.set, body.lift)
    return desk.shown(asked, desk.act(asked, acts.SetAttributes(identity.id, version, attributes, body.reason)))


def merge(desk: ActsDesk, asked: Asked) -> Response:
    """Another identity merged into this one, which survives."""
    body = read(asked.body, Merge)
    survivor, version = desk.found(asked)
    with desk.deps.read() as view:
        absorbed = desk.named(view, body.absorbed, itself=True)
    act = acts.MergeIdentities(survivor.id, absorbed.id, body.reason, version)
    return desk.shown(asked, desk.act(asked, act), merging(survivor, absorbed))


def unmerge(desk: ActsDesk, asked: Asked) -> Response:
    """The merged identity of the route stands again; what came since is in a work item."""
    body = read(asked.body, Unmerge)
    version = asked.version(required=False)
    with desk.deps.read() as view:
        absorbed = desk.merged(view, str(asked.request.path_params["id"]))
    return desk.shown(asked, desk.act(asked, acts.UnmergeIdentities(absorbed.id, body.reason, version)))
