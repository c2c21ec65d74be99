"""Enrolment without a card: an invited person enters their own traits on their phone.

What comes of it is a provisional identity and a work item: a professional looks at the person's document and
qualifies. The one-time token of the address is the authentication; no list and no search can be reached from here, and
nothing of what the base holds is ever shown.
"""

from typing import Final

#: Where the page is served: `/enrol/{token}`.
PREFIX: Final = "/enrol"
