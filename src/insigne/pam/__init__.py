"""IHE PAM and its French extension: editions as data, validation, and ADT messages ⇄ registry commands.

The only room that translates identities to and from HL7. It does no I/O: a message comes in, a command or findings go
out.
"""
