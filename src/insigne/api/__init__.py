"""The HTTP interface: FHIR, health and metrics, on one port.

Rules of this room:

* Nothing is open but `/health/…`: the gate wants a token for any other path, even one that does not exist, and each
  route names the scopes that let in. A route cannot be declared without saying so (`gate.secured`).
* It meets the base, the tokens and the clock only through `ApiDeps`.
* Logs and metrics hold the template of a route, never a path, a query or a body.
"""

from insigne.api.app import create_app
from insigne.api.deps import ApiDeps, IdentityReader
from insigne.api.health import Check, Health
from insigne.api.server import HttpServer
from insigne.api.settings import HttpSettings

__all__ = ["ApiDeps", "Check", "Health", "HttpServer", "HttpSettings", "IdentityReader", "create_app"]
