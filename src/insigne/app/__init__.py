"""Composition root: where the rooms are put together. The only modules that import every adapter.

`base` opens the base for a command; `server` runs the roles until told to stop.
"""
