"""Making the projections again from the journal: same rows, nothing emitted."""

from collections.abc import Callable, Iterator

from insigne.registry.evolve import State
from insigne.registry.state import Encounter, Identity
from insigne.store import statements
from insigne.store.audit import AuditEntry
from insigne.store.journal import fold, histories, read_entry
from insigne.store.moments import utc_now
from insigne.store.pending import Pending
from insigne.store.queries import ReadView
from insigne.store.report import STRIDE, Progress, silent
from insigne.store.store import Store


def rebuild(
    store: Store,
    author: str,
    progress: Progress = silent,
    *,
    wait: float = 30.0,
    now: Callable[[], str] = utc_now,
) -> dict[str, int]:
    """Empty the projections and make them again, in one transaction; how many objects each stream has.

    The write lock is held meanwhile (taken within `wait` seconds, else StoreBusy). Readers see the old rows until
    the end. Raises HistoryErased when the journal is not enough, and then changes nothing.
    """
    counted = {"identity": 0, "encounter": 0, "work-item": 0}
    with store.begin(wait) as transaction:
        transaction.execute_each([(sql, [()]) for sql in statements.EMPTY_PROJECTIONS])
        pending = Pending()
        with store.read() as view:
            for done, state in enumerate(states(view, progress), start=1):
                counted[_take(pending, state)] += 1
                if done % STRIDE == 0:
                    transaction.execute_each(pending.take())
        transaction.execute_each(pending.take())
        details = {stream: str(count) for stream, count in counted.items()}
        # This entry also tells the writers of other processes that what they remember is no longer good.
        transaction.record(AuditEntry(author, "projections-rebuilt", "base", now(), details))
        transaction.commit()
    store.forget()
    return counted


def states(view: ReadView, progress: Progress) -> Iterator[State]:
    """What the journal amounts to, object by object.

    The events of one object are read together, in their order: an object depends on no other, so this gives what the
    order of `seq` gives, in bounded memory.
    """
    head = view.head()
    total = head.last_seq if head is not None else 0
    done = told = 0
    for _, history in histories(read_entry(row) for row in view.stream(statements.ALL_HISTORIES)):
        done += len(history)
        if done - told >= STRIDE:
            told = done
            progress(done, total)
        state = fold(history)
        if state is not None:
            yield state
    progress(total, total)


def _take(pending: Pending, state: State) -> str:
    if isinstance(state, Identity):
        pending.identity(None, state)
        return "identity"
    if isinstance(state, Encounter):
        pending.encounter(None, state)
        return "encounter"
    pending.work_item(state)
    return "work-item"
