"""The page of enrolment, wired to the base of a site."""

from insigne.app.base import Base
from insigne.app.clock import utc_now
from insigne.exchange.creation import own_authority
from insigne.ins.cog import bundled_cog
from insigne.web.enrolment.desk import Desk
from insigne.web.enrolment.view import EnrolmentPage


def enrolment_page(base: Base) -> EnrolmentPage | None:
    """The page, when this process is a référentiel d'identités with an authority of its own, and the site wants it."""
    authority = own_authority(base.config.ri.authorities, base.policy)
    if "ri" not in base.config.roles or authority is None or not base.config.enrolment.enabled:
        return None
    desk = Desk(base.store, base.store.read, base.registrar, authority, utc_now)
    return EnrolmentPage(desk, base.config.enrolment, cog=bundled_cog, now=utc_now)
