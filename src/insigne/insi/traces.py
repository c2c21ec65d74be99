"""From a call as it was made to its trace in the base (EXI REC 07)."""

import msgspec

from insigne.insi.client import Traced
from insigne.insi.jobs import CallTrace
from insigne.insi.wire.model import InsiFault


def trace_of(call: Traced, started: str, mode: str, *, job: str = "", identity: str = "") -> CallTrace:
    """The trace of a call, its answer unchanged, without its id.

    `started` is its time as the base writes times. `mode` is told when no certificate was shown (plain HTTP), by who
    started the call; otherwise it is the name of the certificate, by which the service knows us. `job` and `identity`
    are "" for a call that no identity waits for.
    """
    result = call.result
    return CallTrace(
        id="",
        time=started,
        job=job,
        identity=identity,
        author=call.caller.author,
        why=call.caller.reason,
        operation=call.operation,
        mode=call.certificate or mode,
        criteria=msgspec.json.encode(msgspec.to_builtins(call.criteria)),
        code=result.code,
        subcode=result.subcode if isinstance(result, InsiFault) else "",
        text=result.text if isinstance(result, InsiFault) else result.label,
        raw=call.response,
        milliseconds=round(call.seconds * 1000),
    )
