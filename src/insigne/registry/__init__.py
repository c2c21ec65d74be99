"""The référentiel d'identités: commands in, events out, by rules that do no I/O.

Rules of this room:

* It knows no HL7, SQL, XML or HTTP. `pam` translates messages to the commands of `commands`; `store` keeps the
  events of `events` and the states of `state`.
* The only functions that change a state are those of `evolve`: (state, event) → state. What a rule decides is an
  event; what the event does to the state is written once, there, and rebuilding the base replays it.
* Time, ids and the author come in with the command (`source.Source`).
"""
