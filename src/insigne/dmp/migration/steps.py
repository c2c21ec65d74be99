"""The five steps from API V1 of the DMP to API V2 with the qualified INS, and the questions of each. Data.

Steps and questions are those of a regional view of October 2022 (SESAN, ARS Île-de-France), in our own words.
"""

from typing import Final, NamedTuple


class Step(NamedTuple):
    """A step, in English and in French."""

    number: int
    title: str
    title_fr: str


class Question(NamedTuple):
    """A question a site answers; `measured`: how the running base may answer it instead, "" when it cannot."""

    code: str
    step: int
    text: str
    text_fr: str
    measured: str = ""


STEPS: Final = (
    Step(
        1,
        "bring RI, DPI and PFI to versions that know the INS, and organise its qualification",
        "Mettre RI, DPI et PFI dans des versions compatibles avec l’INS et organiser sa qualification",
    ),
    Step(
        2,
        "bring the PFI to the version that feeds by API V2 with the qualified INS",
        "Mettre la PFI dans la version compatible avec l’API V2 et l’INS qualifié",
    ),
    Step(
        3,
        "put the banner and the Data Matrix on the models of documents",
        "Mettre le bandeau et le Datamatrix INS dans les modèles de documents",
    ),
    Step(4, "send the INS to DPI and PFI", "Transmettre l’INS au DPI et à la PFI"),
    Step(5, "feed the DMP by API V2 with the qualified INS", "Alimenter le DMP par l’API V2 avec l’INS qualifié"),
)

QUESTIONS: Final = (
    Question(
        "ri-qualifies",
        1,
        "can the GAM (or the RI) qualify the INS?",
        "La GAM (ou le RI) sait-elle qualifier l’INS ?",
        "identities qualified in this base",
    ),
    Question(
        "organisation",
        1,
        "is qualification operational in the organisation?",
        "La qualification est-elle opérationnelle dans l’organisation ?",
        "share of active patients qualified",
    ),
    Question(
        "pfi-version",
        2,
        "is the PFI in a version that feeds by API V2 with the qualified INS?",
        "La PFI est-elle dans une version compatible avec l’API V2 et l’INS qualifié ?",
        "inventory against the table of solutions",
    ),
    Question(
        "pfi-api",
        2,
        "is the API that feeds the DMP today known?",
        "Sait-on par quelle API le DMP est alimenté aujourd’hui ?",
        "inventory",
    ),
    Question(
        "receive-ins",
        2,
        "can DPI and PFI receive the INS?",
        "Le DPI et la PFI savent-ils recevoir l’INS ?",
        "messages that DPI and PFI accepted with an INS",
    ),
    Question(
        "templates",
        3,
        "does the DPI produce documents with the qualified INS and the Data Matrix?",
        "Le DPI sait-il produire des documents avec l’INS qualifié et le Datamatrix ?",
        "Data Matrix found in the last documents received",
    ),
    Question(
        "transmits-ins",
        4,
        "does the GAM (or the RI) transmit the INS to DPI and PFI?",
        "La GAM (ou le RI) transmet-elle l’INS au DPI et à la PFI ?",
        "messages sent to DPI and PFI with an INS",
    ),
    Question(
        "all-versions",
        5,
        "are the versions of all components up to date?",
        "Les versions de tous les logiciels sont-elles à jour ?",
        "inventory against the table of solutions",
    ),
    Question(
        "certificates",
        5,
        "does the site hold its organisation certificates (ORG_AUTH_CLI, ORG_SIGN)?",
        "L’établissement détient-il ses certificats d’organisation (ORG_AUTH_CLI, ORG_SIGN) ?",
    ),
)
BY_CODE: Final = {one.code: one for one in QUESTIONS}
