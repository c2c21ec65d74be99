"""The messages of the DMP, bytes ⇄ values, both ways: VIHF, lots of submission, MTOM, TD0.2, ITI-18, ITI-57, answers.

Pure: no socket, no clock, no chance. Streams of documents are passed in, and read in pieces.
"""
