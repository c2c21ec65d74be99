"""The HTTP interface: FHIR, health and metrics, on one port.

Rules of this room:

* Nothing is open but `/health/…`: the gate wants a token for any other path, even one that does not exist, and each
  route names the scopes that let in. A route cannot be declared without saying so (`gate.secured`). Pages that
  another room serves under a prefix authenticate their requests themselves (`deps.ApiDeps.guests`).
* It meets the base, the tokens and the clock only through `deps.ApiDeps`.
* Logs and metrics hold the template of a route, never a path, a query or a body.

`app.create_app` makes the application, `server.HttpServer` serves it. They are imported from their modules: every
command reads `settings` and has no use for a web server.
"""
