"""What the comparison of traits says, in both languages, without any personal value.

`{local}` stands for the side compared with INSi.
"""

from typing import Final, Literal

Side = Literal["local", "document"]

SIDES: Final[dict[Side, tuple[str, str]]] = {
    "local": ("The local identity", "L’identité locale"),
    "document": ("The document", "Le document"),
}

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "same": ("Identical", "Identique"),
    "missing-local": (
        "{local} does not give this trait: nothing to compare",
        "{local} ne donne pas ce trait : rien à comparer",
    ),
    "missing-insi": (
        "INSi does not give this trait: nothing to compare",
        "INSi ne donne pas ce trait : rien à comparer",
    ),
    "spelling": (
        "Only hyphens, apostrophes or spaces differ",
        "Seuls des traits d’union, apostrophes ou espaces diffèrent",
    ),
    "truncated-name": ("A long name is cut short on one side", "Un nom long est tronqué d’un côté"),
    "joined-words": (
        "The letters are the same, the words are divided otherwise",
        "Les lettres sont les mêmes, les mots sont séparés autrement",
    ),
    "name-different": ("The birth names are different", "Les noms de naissance sont différents"),
    "first-given-name-part": (
        "The first given name begins INSi's list, a hyphen counting as a space",
        "Le premier prénom commence la liste d’INSi, le trait d’union valant espace",
    ),
    "first-given-name-later": (
        "The first given name is in INSi's list, but not at its beginning",
        "Le premier prénom figure dans la liste d’INSi, mais pas au début",
    ),
    "first-given-name-different": (
        "The first given name is not in INSi's list",
        "Le premier prénom ne figure pas dans la liste d’INSi",
    ),
    "fewer-given-names": (
        "{local} bears fewer given names, in the same order",
        "{local} porte moins de prénoms, dans le même ordre",
    ),
    "more-given-names": (
        "{local} bears more given names than INSi, in the same order",
        "{local} porte plus de prénoms qu’INSi, dans le même ordre",
    ),
    "given-names-order": (
        "The given names are the same in another order",
        "Les prénoms sont les mêmes, dans un autre ordre",
    ),
    "given-names-different": ("The given names are different", "Les prénoms sont différents"),
    "incomplete-date": (
        "The birth date is incomplete or conventional on one side, and consistent with the other",
        "La date de naissance est incomplète ou conventionnelle d’un côté, et cohérente avec l’autre",
    ),
    "date-swapped": (
        "The day and the month of birth are exchanged",
        "Le jour et le mois de naissance sont inversés",
    ),
    "date-different": ("The birth dates are different", "Les dates de naissance sont différentes"),
    "sex-undetermined": (
        "{local} leaves the sex undetermined, INSi knows M or F only: it has to be recorded",
        "{local} laisse le sexe indéterminé, INSi ne connaît que M ou F : à renseigner",
    ),
    "sex-different": ("The sexes are different", "Les sexes sont différents"),
    "place-renamed": (
        "Two codes of one birthplace, renamed or merged over time",
        "Deux codes d’un même lieu de naissance, renommé ou fusionné au fil du temps",
    ),
    "place-corsica": (
        "One Corsican commune, by its code of before 1976 (20) and of since (2A, 2B)",
        "Une même commune corse, sous son code d’avant 1976 (20) et d’après (2A, 2B)",
    ),
    "place-part": (
        "One birthplace is part of the other (arrondissement, territory)",
        "L’un des lieux de naissance fait partie de l’autre (arrondissement, territoire)",
    ),
    "place-named": (
        "{local} names the place of which INSi gives the code",
        "{local} nomme le lieu dont INSi donne le code",
    ),
    "town-abroad": (
        "{local} names a town, INSi the country: check that the town lies there",
        "{local} nomme une ville, INSi le pays : vérifiez que la ville s’y trouve",
    ),
    "place-different": ("The birthplaces are different", "Les lieux de naissance sont différents"),
}
"""Rule → sentence in English and in French."""

ENDINGS: Final[dict[str, tuple[str, str]]] = {
    "identical": ("", ""),
    "missing": ("", ""),
    "tolerated": (": tolerated", " : toléré"),
    "blocking": (": not tolerated", " : non toléré"),
}
"""Verdict → the end of the sentence."""

CONCLUSIONS: Final[dict[str, tuple[str, str]]] = {
    "identical": ("All the traits agree", "Tous les traits concordent"),
    "tolerated": (
        "The differences are tolerated: the INS may be accepted once the person's identity is checked",
        "Les différences sont tolérées : l’INS peut être acceptée après contrôle auprès de la personne",
    ),
    "missing": (
        "A trait is missing: record it, then compare again",
        "Un trait manque : renseignez-le, puis comparez à nouveau",
    ),
    "blocking": (
        "A difference is not tolerated: correct our traits if they are wrong, otherwise INSi's with Insee",
        "Une différence n’est pas tolérée : corrigez nos traits s’ils sont faux, sinon ceux d’INSi auprès de l’Insee",
    ),
}
"""Overall verdict → what to do."""
