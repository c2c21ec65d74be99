"""How a call proves who makes it, beside the certificate: one word that settings and messages share."""

from typing import Literal

Security = Literal["none", "assertion_ps"]
"""none: the certificate alone. assertion_ps: SAML assertions of the professional, and of the card if there is one."""
