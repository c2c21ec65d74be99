"""What an operator is told of the ways documents go: a service that answers nobody, a box that cannot be read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from insigne.dmp.model import Channel
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.ports import Carrier, Errand, Failed, Outcome
from insigne.exchange.delivery.alarms import Alarms
from insigne.net.breaker import CircuitBreaker, Evidence
from insigne.store.moments import rfc3339

DOWN, BOX_DOWN = "documents-down", "mailbox-down"
"""Subjects: `dmp` or `mss`, the service that does not answer; the name of the box (`dmp.mss.mailboxes`)."""
_SERVICES: Final[dict[Channel, str]] = {"dmp": "dmp", "mss-ps": "mss", "mss-patient": "mss"}


class Heard:
    """A carrier that notes that its service answered, whatever it said, since the start."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.answered = False

    def carry(self, errand: Errand) -> Outcome:
        """See `dmp.ports.Carrier.carry`."""
        outcome = self._carrier.carry(errand)
        if not (isinstance(outcome, Failed) and Evidence(outcome.evidence) is Evidence.DOWN):
            self.answered = True
        return outcome

    def close(self) -> None:
        """See `dmp.ports.Carrier.close`."""
        self._carrier.close()


def heard(carriers: Mapping[Channel, Carrier]) -> dict[Channel, Heard]:
    """The carriers, each noting what it hears; channels that share one go on sharing it."""
    each = {id(carrier): Heard(carrier) for carrier in carriers.values()}
    return {channel: each[id(carrier)] for channel, carrier in carriers.items()}


class FaultWatch:
    """Something done with a mail server again and again: since when it fails, and why.

    `about` are kind and subject of the alarm. `proving`: doing it proves that the server answers, whatever there was to
    do; otherwise only doing something does.
    """

    def __init__(
        self, about: tuple[str, str], work: Callable[[], int], clock: Callable[[], datetime], *, proving: bool
    ) -> None:
        self.about = about
        self.answered = False
        self._work = work
        self._clock = clock
        self._proving = proving
        self._fault: tuple[datetime, str] | None = None

    def work(self) -> int:
        """Do it; how much was done. Raises as it does."""
        try:
            done = self._work()
        except MailFault as fault:
            if fault.kind != "busy":  # said about one mail by a server that is there
                since = self._fault[0] if self._fault is not None else self._clock()
                self._fault = (since, str(fault))
            raise
        self._fault = None
        self.answered = self.answered or self._proving or done > 0
        return done

    def trouble(self, now: datetime, after: timedelta) -> str:
        """What is wrong, once it has been so for that long; "" while there is nothing to tell."""
        if self._fault is None or now - self._fault[0] < after:
            return ""
        return f"since {rfc3339(self._fault[0])}: {self._fault[1]}"


class DocumentAlarms:
    """Raises and ends these alarms, as `app.alarms.AlarmWatch` looks."""

    def __init__(
        self,
        breakers: Mapping[Channel, CircuitBreaker],
        carriers: Mapping[Channel, Heard],
        watches: Sequence[FaultWatch],
        after: timedelta,
    ) -> None:
        """`after`: for how long a watch must have seen failures."""
        self._breakers = breakers
        self._carriers = carriers
        self._watches = watches
        self._after = after
        self._raised: set[tuple[str, str]] = set()

    def look(self, alarms: Alarms, now: datetime) -> None:
        """Look once. What was on at the last stop stays on until an answer came, or it is not configured any more."""
        wrong = self._wrong(now)
        for (kind, subject), text in wrong.items():
            alarms.raised(kind, subject, rfc3339(now), text)
        self._raised |= wrong.keys()
        unknown = self._silent() - self._raised
        for alarm in alarms.on():
            about = (alarm.kind, alarm.subject)
            if alarm.kind in (DOWN, BOX_DOWN) and about not in wrong and about not in unknown:
                alarms.ended(*about, rfc3339(now))

    def _wrong(self, now: datetime) -> dict[tuple[str, str], str]:
        wrong = {
            (DOWN, _SERVICES[channel]): "calls are not answered; documents wait, and go by themselves"
            for channel, breaker in self._breakers.items()
            if breaker.open_since() is not None
        }
        return wrong | {one.about: text for one in self._watches if (text := one.trouble(now, self._after))}

    def _silent(self) -> set[tuple[str, str]]:
        """Those of which nothing was heard since the start."""
        services = {(DOWN, _SERVICES[channel]): one.answered for channel, one in self._carriers.items()}
        for one in self._watches:
            services[one.about] = services.get(one.about, False) or one.answered
        return {about for about, answered in services.items() if not answered}
