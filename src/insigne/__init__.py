"""Insigne: the INS identity chain, from the admission desk to the DMP."""

__version__ = "0.1.0"
