"""INSi asked at once on behalf of a person: what is said of the outcome, and the exit status it calls for."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Final

import typer

from insigne.app.insi import insi_service
from insigne.cli.common import Exit, fail, note
from insigne.cli.desk import Desk
from insigne.insi.client import InsiUnusable
from insigne.insi.desk import BARRED, unadvised
from insigne.insi.endings import CHANGED
from insigne.insi.jobs import Job, JobKind
from insigne.insi.wire.model import WireError
from insigne.net.tls import TlsError
from insigne.registry.state import Identity

_OUTCOMES: Final = {
    "00": "INSi a trouvé une identité : comparez-la avec la personne, puis acceptez-la ou refusez-la",
    "01": "INSi n’a trouvé personne : vérifiez les traits, le statut ne change pas",
    "02": "INSi a trouvé plusieurs personnes : précisez les prénoms ou le lieu de naissance, le statut ne change pas",
    "OK": "INSi confirme l’INS",
    "KO": "INSi ne confirme pas l’INS : elle passe en historique",
}


AtHand = Annotated[
    bool, typer.Option("--document-at-hand", help="The identity document is seen at the same time (RECO PP 03).")
]


def advised(desk: Desk, identity: Identity, *, document_at_hand: bool) -> None:
    """Say what there is to say before INSi is asked for an INS; what forbids the call ends the command (exit 1)."""
    remark, forbidden = unadvised(identity, desk.context.config.insi, document_at_hand=document_at_hand)
    if remark is not None:
        if forbidden:
            fail(Exit.PROBLEMS, remark.message)
        note(remark.message)


@contextmanager
def _calling() -> Iterator[None]:
    """What prevents any call, of the configuration or the certificates, ends the command (exit 2)."""
    try:
        yield
    except (InsiUnusable, TlsError, WireError, ValueError) as error:
        fail(Exit.USAGE, str(error))


def asked(desk: Desk, identity: Identity, kind: JobKind) -> Job:
    """Ask INSi on behalf of the person; the outcome is said on stderr."""
    with _calling(), closing(insi_service(desk.base, automatic=False)) as service:
        job = service.ask_now(identity.id, kind, desk.user.author)
    if job.state == "waiting" and job.error == CHANGED:
        note("l’identité a changé pendant l’interrogation : la demande reste en file, elle sera reprise")
    elif job.state == "waiting":
        note(f"INSi ne répond pas ({job.error}) : la demande reste en file, elle sera reprise")
    elif job.state == "failed":
        note(f"INSi a refusé la demande ({job.error})")
    elif job.state == "cancelled":
        note(f"INSi n’a pas été interrogé : {BARRED.get(job.outcome, ('', job.outcome))[1]}")
    elif job.error:
        note("l’identité a changé pendant l’interrogation : la réponse n’a pas été appliquée")
    else:
        note(_OUTCOMES.get(job.outcome, job.outcome))
    return job


def leave(job: Job, good: str) -> None:
    """Leave with the status that the outcome of a question calls for."""
    if job.state in ("waiting", "calling", "failed"):
        raise typer.Exit(Exit.UNREACHABLE)
    if job.outcome != good or job.error:
        raise typer.Exit(Exit.PROBLEMS)
