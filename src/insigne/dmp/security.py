"""How what is sent to the DMP is signed: one word that settings and messages share, cheap to import."""

from typing import Literal

SignatureAlgorithm = Literal["rsa-sha256", "rsa-sha1"]
"""Of the VIHF and of the lot. Public examples have SHA-1 (2019) and SHA-256 (2024)."""
