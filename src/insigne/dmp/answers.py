"""Business acknowledgements (ZAM): queued for the sender of a document in the transaction that ends its sending."""

from typing import Final

from insigne.dmp.model import Document
from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.site import Site
from insigne.exchange.delivery.model import Bytes, Draft

RECEIVED_BY_DMP: Final = "Z01"
RECEIVED_BY_MSS: Final = "Z02"
READ_IN_MSS: Final = "Z03"
_CONTROL_ID: Final = 20


def answer(
    transaction: DocumentTransaction,
    site: Site,
    document: Document,
    kind: str,
    *,
    accepted: bool,
    code: str = "",
    text: str = "",
    recipient: str = "",
) -> None:
    """Queue a ZAM of that kind about a document, if its sender wants it and the site says where it goes.

    Z01 and Z02 are wanted by ACK_RECEPTION, Z03 by ACK_LECTURE_MSS. `recipient`: the address of MSSanté it is about.
    """
    wanted = document.flags.ack_read if kind == READ_IN_MSS else document.flags.ack_reception
    destination = site.settings.answers.get(document.sending, "")
    if not wanted or not destination or not document.control_id:
        return
    now = site.now()
    control_id = site.new_id()[:_CONTROL_ID]
    raw = site.zam(
        kind, document, accepted=accepted, code=code, text=text, control_id=control_id, time=now, recipient=recipient
    )
    transaction.put_bytes([Bytes(control_id, f"ZAM^{kind}^ZAM_{kind}", now, raw)])
    draft = Draft(
        destination=destination,
        kind="answer",
        event=f"ZAM^{kind}",
        subject=document.identity,
        keys=document.id,
        cause=document.message,
        notice=b"",
        created=now,
        control_id=control_id,
    )
    transaction.queue([draft])
    transaction.after_commit(site.ring)
