"""How what is sent to the DMP is signed: one word that settings and messages share, cheap to import."""

from typing import Literal

SignatureAlgorithm = Literal["rsa-sha256", "rsa-sha1"]
"""Of the VIHF and of the lot. The public examples have SHA-1; what is asked for today is in no public source."""
