"""Where synthetic people are born and live: a few dozen codes of the COG, with the years of birth they fit. Data only.

Sources: INSEE, code officiel géographique. A birthplace keeps the code in force at birth: communes of the Seine (75)
and of Seine-et-Oise (78) changed département on 1 January 1968, Corsica (20) was divided on 1 January 1976.
"""

from typing import Final, NamedTuple


class Commune(NamedTuple):
    """A commune: code at birth, label, postal code of today, first and last year of birth under that code."""

    code: str
    label: str
    postal: str
    since: int = 1900
    until: int = 2100


class Country(NamedTuple):
    """A foreign country: COG code (99 and three digits), label, ISO 3166 alpha-3."""

    code: str
    label: str
    iso: str


_TODAY: Final = """\
75105 PARIS 75005;75110 PARIS 75010;75114 PARIS 75014;75118 PARIS 75018;69383 LYON 69003;69388 LYON 69008
13205 MARSEILLE 13005;13208 MARSEILLE 13008;31555 TOULOUSE 31000;06088 NICE 06000;44109 NANTES 44000
67482 STRASBOURG 67000;34172 MONTPELLIER 34000;33063 BORDEAUX 33000;59350 LILLE 59000;35238 RENNES 35000
51454 REIMS 51100;76351 LE HAVRE 76600;42218 SAINT-ÉTIENNE 42000;83137 TOULON 83000;38185 GRENOBLE 38000
21231 DIJON 21000;49007 ANGERS 49000;30189 NÎMES 30000;63113 CLERMONT-FERRAND 63000;72181 LE MANS 72000
29019 BREST 29200;37261 TOURS 37000;80021 AMIENS 80000;87085 LIMOGES 87000;66136 PERPIGNAN 66000
57463 METZ 57000;25056 BESANÇON 25000;45234 ORLÉANS 45000;76540 ROUEN 76000;68224 MULHOUSE 68100
14118 CAEN 14000;54395 NANCY 54000;59512 ROUBAIX 59100;59183 DUNKERQUE 59140;84007 AVIGNON 84000
86194 POITIERS 86000;78646 VERSAILLES 78000;64445 PAU 64000;17300 LA ROCHELLE 17000;62193 CALAIS 62100
29232 QUIMPER 29000;56260 VANNES 56000;73065 CHAMBÉRY 73000;15014 AURILLAC 15000;05061 GAP 05000
97411 SAINT-DENIS 97400;97209 FORT-DE-FRANCE 97200;97302 CAYENNE 97300;88160 ÉPINAL 88000
01053 BOURG-EN-BRESSE 01000"""

_SINCE_1968: Final = """\
93066 SAINT-DENIS 93200;93048 MONTREUIL 93100;92012 BOULOGNE-BILLANCOURT 92100;94028 CRÉTEIL 94000
95018 ARGENTEUIL 95100;91174 CORBEIL-ESSONNES 91100;92050 NANTERRE 92000;94080 VINCENNES 94300"""

_UNTIL_1967: Final = """\
75066 SAINT-DENIS 93200;75048 MONTREUIL 93100;75012 BOULOGNE-BILLANCOURT 92100;75080 VINCENNES 94300
78018 ARGENTEUIL 95100;78174 CORBEIL-ESSONNES 91100"""

_CORSICA_SINCE_1976: Final = "2A004 AJACCIO 20000;2A247 PORTO-VECCHIO 20137;2B033 BASTIA 20200;2B096 CORTE 20250"
_CORSICA_UNTIL_1975: Final = "20004 AJACCIO 20000;20033 BASTIA 20200"


def _communes(text: str, since: int = 1900, until: int = 2100) -> list[Commune]:
    rows = (row.split(" ", 1) for row in text.replace("\n", ";").split(";"))
    return [Commune(code, rest.rsplit(" ", 1)[0], rest.rsplit(" ", 1)[1], since, until) for code, rest in rows]


COMMUNES: Final = tuple(
    _communes(_TODAY)
    + _communes(_SINCE_1968, since=1968)
    + _communes(_UNTIL_1967, until=1967)
    + _communes(_CORSICA_SINCE_1976, since=1976)
    + _communes(_CORSICA_UNTIL_1975, until=1975)
)

RESIDENCES: Final = tuple(_communes(_TODAY) + _communes(_SINCE_1968) + _communes(_CORSICA_SINCE_1976))
"""Where one can live today."""

COUNTRIES: Final = (
    Country("99109", "ALLEMAGNE", "DEU"),
    Country("99114", "ROUMANIE", "ROU"),
    Country("99122", "POLOGNE", "POL"),
    Country("99127", "ITALIE", "ITA"),
    Country("99131", "BELGIQUE", "BEL"),
    Country("99132", "ROYAUME-UNI", "GBR"),
    Country("99134", "ESPAGNE", "ESP"),
    Country("99139", "PORTUGAL", "PRT"),
    Country("99208", "TURQUIE", "TUR"),
    Country("99216", "CHINE", "CHN"),
    Country("99243", "VIETNAM", "VNM"),
    Country("99322", "CAMEROUN", "CMR"),
    Country("99326", "CÔTE D'IVOIRE", "CIV"),
    Country("99341", "SÉNÉGAL", "SEN"),
    Country("99350", "MAROC", "MAR"),
    Country("99351", "TUNISIE", "TUN"),
    Country("99352", "ALGÉRIE", "DZA"),
    Country("99416", "BRÉSIL", "BRA"),
)

UNKNOWN_PLACE: Final = "99999"
HOSPITAL_COMMUNE: Final = Commune("21231", "DIJON", "21000")
"""The commune of the simulated hospital: newborns are born there."""
