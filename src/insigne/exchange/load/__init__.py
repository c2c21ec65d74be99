"""Initial load: an existing base, as rows of a table, brought into the registry.

`mapping` says which column is what, `rows` turns a row into a command with what there is to say about it, `loader`
applies them, a few at a time.
"""
