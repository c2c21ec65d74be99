"""`/control` of a simulated service: read and change its state while it runs, see the calls it received. For tests."""

from typing import ClassVar, Final, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec

from insigne.simulate.calls import Call, CallLog
from insigne.simulate.https import HttpReply, HttpRequest, error_reply, json_reply
from insigne.simulate.timeline import Disturbance

PATH: Final = "/control"

Change = TypeVar("Change")


class _Calls(msgspec.Struct, frozen=True):
    count: int
    calls: list[Call]


class ServiceControl(Generic[Change]):
    """Answers what every simulated service does: GET and PATCH `/control`, GET and DELETE `/control/calls`.

    A service gives the form of its changes, its state, how it changes, and what else it answers.
    """

    form: ClassVar[type]
    """What a PATCH is decoded as."""
    paths: ClassVar[str] = ""
    """Its own paths, for who asks for another one."""

    def __init__(self, calls: CallLog) -> None:
        self._calls = calls

    def answer(self, http: HttpRequest) -> HttpReply:
        """Answer a request under `/control`."""
        match http.method, http.path.removeprefix(PATH):
            case "GET", "":
                return json_reply(self.state())
            case "PATCH", "":
                return self._patch(http.body)
            case "GET", "/calls":
                asked = {key: values[-1] for key, values in parse_qs(http.target.partition("?")[2]).items()}
                calls = self._calls.matching(asked.get("criteria", ""), asked.get("operation", ""))
                return json_reply(_Calls(len(calls), calls))
            case "DELETE", "/calls":
                self._calls.clear()
                return HttpReply(204)
            case method, path:
                return self.more(method, path) or error_reply(404, _PATHS + self.paths)

    def state(self) -> object:
        """Return how the service is set."""
        raise NotImplementedError

    def change(self, change: Change) -> None:
        """Change what is given. Raises ValueError, and changes nothing, for what cannot be."""
        raise NotImplementedError

    def more(self, method: str, path: str) -> HttpReply | None:
        """Answer a path of the service's own, below `/control`."""

    def _patch(self, body: bytes) -> HttpReply:
        try:
            self.change(msgspec.json.decode(body, type=self.form))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return error_reply(400, str(error))
        return json_reply(self.state())


_PATHS: Final = "GET or PATCH /control, GET or DELETE /control/calls"


def check_effects(effects: Disturbance) -> None:
    """Refuse effects that nobody could undo. Raises ValueError."""
    if effects.outage == "refused":
        raise ValueError("effects: nobody could undo a refused connection from here; write a script, or use closed")
