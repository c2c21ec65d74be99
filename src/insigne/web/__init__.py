"""Pages for people, in French: the phone page of enrolment.

Rules of this room:

* A page works without JavaScript, sets no cookie and loads nothing, from here or elsewhere: its style is in it.
* Pages meet the base only through the ports of their folder, and are served under a prefix of the HTTP port
  (`api.deps.ApiDeps.guests`), so that they authenticate their requests themselves.
* Nothing that a person typed goes to a log, an address or an error.
"""
