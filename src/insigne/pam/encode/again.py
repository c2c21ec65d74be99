"""What is told a second time: an INS as it is today, never the loss of one that is there again."""

from msgspec.structs import replace

from insigne.pam.encode.compose import INS_KINDS
from insigne.pam.encode.ins import as_identifier, shown_ins
from insigne.pam.encode.notice import Notice, Ref
from insigne.pam.encode.outcome import Nothing
from insigne.registry.state import Identity


def told_again(notice: Notice, today: Identity | None) -> Notice | Nothing:
    """What a notice told earlier says now. What followed it is known to the receiver and will not be told after it.

    The loss or the replacement of an INS (A47) names the INS that the person shows today, if there is one: as it was,
    it would take that one away. Nothing, when it is the same INS, or when the person was merged into another.
    """
    if notice.kind not in INS_KINDS or today is None:
        return notice
    if today.merged_into:
        return Nothing("merged-since")
    ins = shown_ins(today)
    if ins is None:
        return notice
    if as_identifier(ins) in notice.prior:
        return Nothing("ins-valid-again")
    return replace(notice, kind="ins-replaced", refs=(Ref("identity", today.id, today.version),))
