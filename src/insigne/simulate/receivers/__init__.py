"""Receivers that misbehave on demand, and one that keeps a registry of its own so that its end can be compared.

`script` says what goes wrong and when (pure), `answers` makes the bytes of it (pure), `receiver` listens, `registry`
applies what is received, `compare` tells two registries apart, `running` runs a receiver beside a test or a benchmark.
"""
