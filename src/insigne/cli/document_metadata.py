"""`insigne document metadata`: what the DMP is told of a document, each field with where it comes from."""

from contextlib import closing
from functools import partial
from typing import Final

import typer

from insigne.app.base import site_policy
from insigne.app.clock import utc_now
from insigne.app.dmp import new_uuid
from insigne.cli.common import Context, Exit, emit_line, examples, fail, group_app
from insigne.cli.document_sendings import SendingId, find
from insigne.cli.opening import existing
from insigne.cli.tables import print_table
from insigne.config import Config
from insigne.dmp.contents import opened
from insigne.dmp.judging import target_of
from insigne.dmp.leaving import Leaving
from insigne.dmp.lots import feeding
from insigne.dmp.ports import Errand
from insigne.dmp.states import effective, qualified_ins
from insigne.dmp.whose import Several, whose
from insigne.dmp.wire.lot import shown
from insigne.dmp.wire.model import LotMetadata, WireError
from insigne.documents.errors import DocumentError
from insigne.ins.cog import bundled_cog
from insigne.pam.encode.ins import shown_ins
from insigne.store import Store

app = group_app("Documents sent to the DMP and to MSSanté.")

_ASKED: Final = "asked of the DMP when the document leaves"
"""What the version replaced is known by there (entryUUID): it changes."""
_TABLE: Final = ("field", "value", "origin", "where")


@app.command(epilog=examples("insigne document metadata 01JMS7Q4", "insigne document metadata 01JMS7Q4 --json"))
def metadata(ctx: typer.Context, sending: SendingId) -> None:
    """Show the metadata of a document as they would leave now, and where each field comes from: message, CDA, registry,
    configuration, or computed. Nothing is sent. With --json, one a line. Exit 1 when the document may not leave now.
    """
    context = Context.of(ctx)
    with existing(context, read_only=True) as store:
        try:
            lot = _lot(store, context.loaded.config, sending)
        except (DocumentError, WireError) as error:
            fail(Exit.PROBLEMS, f"{sending}: {error}")
        found = [dict(zip(_TABLE, row, strict=True)) for row in shown(lot)]
    if context.json:
        for one in found:
            emit_line(one)
        return
    print_table(_TABLE, (list(one.values()) for one in found), none="no metadata")


def _lot(store: Store, config: Config, sending_id: str) -> LotMetadata:
    """The lot of a document, made as when it leaves. Raises DocumentError and WireError for one that may not."""
    with store.read() as view:
        sending = find(view, sending_id)
        document = view.document(sending.document)
        identity = whose(view, document, site_policy(config)) if document is not None else None
        target = target_of(view, document, sending) if document is not None else None
    if document is None or document.content is None or sending.action == "delete":
        fail(Exit.PROBLEMS, f"{sending_id}: it carries no document: a deletion names one that is there already")
    if isinstance(identity, Several):
        fail(Exit.PROBLEMS, f"{sending_id}: its identifiers name several people: `insigne document show` says more")
    ins = qualified_ins(identity, config.environment)
    if ins is None or identity is None or shown_ins(identity) is None:
        fail(Exit.PROBLEMS, f"{sending_id}: its patient has no qualified INS: nothing may be said of it to the DMP")
    content = partial(opened, store.read, document.content)
    action = effective(sending, target[1] if target is not None else None)
    errand = Errand(document, sending, action, ins, identity, None, None, repeated=False, content=content)
    leaving = Leaving(config.environment, bundled_cog(), complete=config.dmp.without_ins == "complete")
    with closing(leaving(errand)) as cda:
        replaces = _ASKED if action == "replace" else ""
        return feeding(document, cda, ins, config.dmp.service, now=utc_now(), new_uuid=new_uuid, replaces=replaces).lot
