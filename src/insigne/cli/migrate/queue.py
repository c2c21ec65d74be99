"""`insigne migrate queue`: the patients to qualify, those whose documents wait first, so that feeding never stops."""

from collections import Counter
from typing import Annotated, Any

import typer

from insigne.cli.common import Context, emit_line, examples, group_app
from insigne.cli.opening import reading
from insigne.cli.tables import print_table
from insigne.dmp.migration.queue import OPEN, ToQualify, next_act, open_stays, ordered
from insigne.registry.state import PERSON_TYPES, Identity
from insigne.store.queries import ReadView

app = group_app("Whom to qualify first.")

_LOOKED_AT = 2000
"""Patients whose stays are read, at least, to order those that have as many documents."""


@app.command(
    epilog=examples(
        "insigne migrate queue --limit 50",
        "insigne migrate queue --stays --json | jq -r .identity",
    ),
)
def queue(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most patients to list.")] = 100,
    stays: Annotated[
        bool, typer.Option("--stays", help="Then those without document who are here or expected (reads every stay).")
    ] = False,
) -> None:
    """List the patients to qualify: most waiting documents first, then most stays. With --json, one a line.

    Each comes with what qualifies it. Their documents leave by themselves once that is done.
    """
    context = Context.of(ctx)
    with reading(context) as view:
        lines = [_line(view, one) for one in _patients(view, limit, stays=stays)]
    if context.json:
        for line in lines:
            emit_line(line)
        return
    print_table(
        ("identité", "numéro", "statut", "documents", "depuis", "séjours", "antérieurs", "à faire"),
        (
            (line["identity"], line["local"], line["status"], str(line["documents"]), line["since"][:10],
             str(line["stays"]), ", ".join(line["former"]), line["act_fr"])
            for line in lines
        ),
        none="aucun patient à qualifier",
    )  # fmt: skip


def _patients(view: ReadView, limit: int, *, stays: bool) -> list[ToQualify]:
    waiting = sorted(view.waiting_patients(), key=lambda one: (-one.documents, one.since, one.identity))
    first = waiting[: max(limit, _LOOKED_AT)]  # stays only order those that have as many documents
    found = ordered(
        ToQualify(one.identity, one.documents, one.since, open_stays(view.encounters_of(one.identity))) for one in first
    )[:limit]
    if not stays or len(found) == limit:
        return found
    known = {one.identity for one in waiting}
    here = Counter(stay.identity for stay in view.all_stays() if stay.status in OPEN)
    others = (ToQualify(name, 0, "", count) for name, count in here.items() if name not in known)
    unqualified = (one for one in ordered(others) if _to_qualify(view.identity(one.identity)))
    return [*found, *(one for _, one in zip(range(limit - len(found)), unqualified, strict=False))]


def _to_qualify(identity: Identity | None) -> bool:
    return identity is not None and not identity.merged_into and not identity.qualified


def _line(view: ReadView, patient: ToQualify) -> dict[str, Any]:
    identity = view.identity(patient.identity)
    act, act_fr = next_act(identity) if identity is not None else ("", "")
    return {
        "identity": patient.identity,
        "local": _local(identity),
        "status": "" if identity is None else identity.status.value,
        "documents": patient.documents,
        "since": patient.since,
        "stays": patient.stays,
        "former": sorted({one.kind for name in view.with_absorbed(patient.identity) for one in view.legacy_of(name)}),
        "act": act,
        "act_fr": act_fr,
    }


def _local(identity: Identity | None) -> str:
    """The number people know the patient by: "AUTHORITY|VALUE"."""
    held = () if identity is None else identity.identifiers
    names = (one.identifier for one in held if one.current and one.identifier.type in PERSON_TYPES)
    return next((f"{one.authority.namespace or one.authority.key}|{one.value}" for one in names), "")
