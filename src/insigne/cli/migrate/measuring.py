"""What of a migration can be measured is measured here, from the running base."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from insigne.cli.common import Context, note
from insigne.cli.opening import PATIENCE, plainly
from insigne.config import store_url
from insigne.dmp.migration.measures import Blocked, Measures, Template, Told
from insigne.dmp.mss.cda import PDF, CdaError, pdf_of, read_cda
from insigne.dmp.reasons import REASONS
from insigne.documents.errors import DocumentError
from insigne.documents.scan import find_symbol
from insigne.store import SchemaMissing, open_store
from insigne.store.dmp_report import KeptContent
from insigne.store.moments import rfc3339
from insigne.store.queries import ReadView

#: The OIDs of the INS (NIR, NIA, test, demonstration) wherever a message has them, HL7 or JSON.
_INS: Final = re.compile(rb"1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11)(?![0-9])")
_FED_DAYS: Final = 30


def measure(context: Context) -> Measures | None:
    """Measure the base that the options name; None when there is none."""
    with plainly():
        try:
            store = open_store(store_url(context.loaded), wait=PATIENCE, read_only=True)
        except SchemaMissing:
            note("there is no base: nothing is measured, all is asked")
            return None
        try:
            with store.read() as view:
                return _measured(context, view, datetime.now(UTC))
        finally:
            store.close()


def _measured(context: Context, view: ReadView, now: datetime) -> Measures:
    settings = context.config.dmp.migration
    active, qualified = view.active_since(rfc3339(now - timedelta(days=settings.active_days)))
    return Measures(
        taken=rfc3339(now),
        active=active,
        qualified=qualified,
        told=tuple(_told(view, one.name, settings.sample) for one in context.config.destinations),
        templates=_templates(view, settings.sample, context.config.documents.scan_pages),
        blocked=tuple(
            Blocked(state, reason, REASONS[reason].text_fr if reason in REASONS else reason or state, count)
            for state, reason, count in view.blocked()
        ),
        fed=_fed(context, view, rfc3339(now - timedelta(days=_FED_DAYS))),
        patients_waiting=len(view.waiting_patients()),
    )


def _fed(context: Context, view: ReadView, since: str) -> dict[str, int]:
    """What was fed from here: nothing is known where another product holds the role."""
    return {"qualified": view.fed_since(since)} if "pfi" in context.config.roles else {}


def _told(view: ReadView, destination: str, sample: int) -> Told:
    messages = with_ins = 0
    for raw in view.last_told(destination, sample):
        messages += 1
        with_ins += _INS.search(raw) is not None
    return Told(destination, messages, with_ins)


def _templates(view: ReadView, sample: int, pages: int) -> tuple[Template, ...]:
    """The last PDF received, by sender and type: a CDA without a PDF bears no symbol and does not count."""
    looked: Counter[tuple[str, str]] = Counter()
    bearing: Counter[tuple[str, str]] = Counter()
    for one in view.last_contents(sample):
        pdf = _pdf(view, one)
        if pdf is not None:
            key = one.sending, one.type_code
            looked[key] += 1
            bearing[key] += _bears_symbol(pdf, pages)
    return tuple(Template(*key, looked[key], bearing[key]) for key in sorted(looked))


def _pdf(view: ReadView, content: KeptContent) -> bytes | None:
    parts, part = [], view.content_part(content.digest, 0)
    while part:
        parts.append(part)
        part = view.content_part(content.digest, len(parts))
    document = b"".join(parts)
    if content.media == PDF:
        return document
    try:
        return pdf_of(read_cda(document))
    except CdaError:
        return None


def _bears_symbol(pdf: bytes, pages: int) -> bool:
    try:
        find_symbol(pdf, pages)
    except DocumentError:
        return False
    return True
