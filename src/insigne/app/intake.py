"""The intake of documents of a site that is a PFI."""

from collections.abc import Callable, Sequence

from insigne.api.documents import DocumentDeps
from insigne.config import Config
from insigne.dmp.intake.direct import DirectIntake
from insigne.dmp.intake.settings import Intake
from insigne.dmp.site import Registrar, Site
from insigne.dmp.zam import zam
from insigne.documents.cda.check import Checks
from insigne.exchange.delivery.follower import Bell
from insigne.fhir.lookup import merged_named, named
from insigne.registry.settings import Policy
from insigne.store import Store
from insigne.transport.document_folder import DocumentFolder


def site_of(
    config: Config,
    policy: Policy,
    registrar: Registrar,
    now: Callable[[], str],
    new_id: Callable[[], str],
    bell: Bell | None = None,
) -> Site:
    """What the rules of the PFI work with. `bell` is rung once an answer waits to be sent."""
    rung = bell or Bell()

    def ring() -> None:
        rung.ring()  # whoever listens by then

    return Site(settings=config.dmp, policy=policy, registrar=registrar, zam=zam, now=now, new_id=new_id, ring=ring)


def intake_of(config: Config, site: Site) -> Intake:
    """What the intake of documents works with."""
    checks = Checks(config.environment, frozenset(config.documents.type_codes))
    return Intake(site, checks)


def direct_intake(store: Store, intake: Intake) -> DirectIntake:
    """What takes documents that no message brings; patients are named as everywhere else."""
    universal = intake.site.policy.universal

    def find(text: str) -> Sequence[str]:
        with store.read() as view:
            return [one.id for one in named(view, text, universal)]

    def find_merged(text: str) -> Sequence[str]:
        with store.read() as view:
            return [one.id for one in merged_named(view, text, universal)]

    return DirectIntake(store, find, find_merged, intake)


def documents_over_http(store: Store, intake: Intake) -> DocumentDeps:
    """What `POST /api/v1/documents` needs."""
    settings = intake.settings
    return DocumentDeps(
        direct_intake(store, intake), settings.max_bytes, settings.large_bytes, frozenset(settings.large_tokens)
    )


def document_folders(store: Store, intake: Intake) -> list[DocumentFolder]:
    """The watched folders of documents."""
    direct = direct_intake(store, intake)
    return [DocumentFolder(one, direct) for one in intake.settings.folders]
