"""A stock SOAP toolkit, which knows nothing of the product, talks to the simulator from a WSDL of its own."""

from pathlib import Path
from uuid import uuid4

import pytest
import requests
import zeep
from zeep.plugins import Plugin
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin

WSDL = Path(__file__).with_name("insi.wsdl")
BINDING = "{urn:insigne:test:insi}InsiBinding"


class Peer:
    """zeep, over requests with a client certificate."""

    def __init__(self, ready, name="INSI-MANU", idam=None, plugins=()):
        session = requests.Session()
        session.trust_env = False
        session.verify = ready["ca"]
        session.cert = (ready["clients"][name]["cert"], ready["clients"][name]["key"])
        self.session = session
        self.client = zeep.Client(str(WSDL), transport=Transport(session=session), plugins=list(plugins))
        self.service = self.client.create_service(BINDING, ready["url"])
        self.idam = idam or ready["idam"]

    def headers(self):
        common = {"Id": str(uuid4()), "Temps": "2026-01-15T08:30:00.000Z", "Emetteur": "10B0000001"}
        software = {"IDAM": {"_value_1": self.idam, "R": "4"}, "Version": "1.0", "Nom": "urn:lps:zeep:1.0"}
        return {
            "contexteLPS": {**common, "LPS": software, "Version": "01_00", "Nature": "CTXLPS"},
            "contexteBAM": {**common, "COUVERTURE": {}, "Version": "01_02", "Nature": "CTXBAM"},
        }

    def by_traits(self, name, given, sex, date, place=None):
        return self.service.byTraits(
            NomNaissance=name,
            Prenom=[given],
            Sexe=sex,
            DateNaissance=date,
            LieuNaissance=place,
            _soapheaders=self.headers(),
        )

    def by_card(self, **card):
        return self.service.byCard(_soapheaders=self.headers(), **card)


@pytest.fixture
def peer(simulator, caller):
    made = []

    def make(**options):
        made.append(Peer(simulator.ready, **options))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.mark.parametrize("plugins", [(), (WsAddressingPlugin(),)], ids=["action-in-content-type", "ws-addressing"])
def test_a_person_is_found_with_history_and_traits(peer, plugins):
    answer = peer(plugins=plugins).by_traits("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14")
    assert (answer.CR.CodeCR, answer.CR.LibelleCR) == ("00", "OK")
    active = answer.INDIVIDU.INSACTIF
    assert (active.IdIndividu.NumIdentifiant, active.IdIndividu.Cle) == ("1090763220834", "89")
    assert active.OID == "1.2.250.1.213.1.4.8"
    [past] = answer.INDIVIDU.INSHISTO
    assert (past.IdIndividu.NumIdentifiant, past.DateDeb, past.DateFin) == ("2090763220834", "2019-03-01", "2019-02-28")
    assert answer.INDIVIDU.TIQ.ListePrenom == "PIERRE-ALAIN MURIEL FLORIANT"
    assert answer.INDIVIDU.TIQ.Prenom is None


def test_nobody_and_several_come_without_an_identity(peer):
    zeep_peer = peer()
    nobody = zeep_peer.by_traits("HOUILLES", "PIERRE", "M", "1993-01-27")
    several = zeep_peer.by_traits("DE VINCI", "LEONARDO", "M", "2014-02-01")
    assert (nobody.CR.CodeCR, nobody.CR.LibelleCR, nobody.INDIVIDU) == ("01", "Aucune identite trouvee", None)
    assert (several.CR.CodeCR, several.CR.LibelleCR, several.INDIVIDU) == ("02", "Plusieurs identites trouvees", None)


def test_the_birthplace_tells_homonyms_apart(peer):
    answer = peer().by_traits("DE VINCI", "LEONARDO", "M", "2014-02-01", "63220")
    assert answer.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "1140263220833"


def test_a_card_finds_its_beneficiary(peer):
    answer = peer().by_card(
        MatriculeOD={"NumIdentifiant": "2770763220829"}, DateNaissance="2010-08-07", RangNaissance="1"
    )
    assert answer.INDIVIDU.TIQ.ListePrenom == "MICHELANGELO ANTHONY"


def test_a_fault_has_its_subcode_and_its_detail(peer, caller):
    caller.set(mode="vendor")
    with pytest.raises(zeep.exceptions.Fault) as caught:
        peer().by_traits("HOUILLES", "PIERRE", "M", "1993-01-27")
    fault = caught.value
    assert [subcode.localname for subcode in fault.subcodes] == ["siram_40"]
    [error] = fault.detail
    assert error.tag == "{urn:siram}Erreur"
    assert (error.get("code"), error.get("severite")) == ("insi_102", "fatal")


def test_the_deviations_of_real_answers_do_not_stop_the_toolkit(peer, caller):
    caller.set(deviations=["D1", "D2", "D4", "D5", "D6", "D7", "D8", "D9"])
    answer = peer().by_traits("TCHITCHI", "CATARINA", "F", "1936-06-21")
    assert answer.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "2360663220836"
    assert len(answer.INDIVIDU.INSHISTO) == 1


def test_an_unknown_software_is_refused(peer):
    with pytest.raises(zeep.exceptions.Fault) as caught:
        peer(idam="INCONNU00000").by_traits("ADRUN", "ZOE", "F", "1975-12-31")
    assert caught.value.detail[0].get("code") == "desir_550"


def test_another_common_name_is_refused(peer):
    with pytest.raises(zeep.exceptions.Fault) as caught:
        peer(name="AUTRE-CN").by_traits("ADRUN", "ZOE", "F", "1975-12-31")
    assert caught.value.detail[0].get("code") == "desir_560"


class Extra(Plugin):
    """Adds header blocks that the real server was seen to take."""

    def egress(self, envelope, http_headers, operation, binding_options):
        header = envelope.find("{http://www.w3.org/2003/05/soap-envelope}Header")
        security = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
        header.append(header.makeelement(f"{{{security}}}Security"))
        header.append(header.makeelement("{http://www.w3.org/2005/08/addressing}FaultTo"))
        return envelope, http_headers


def test_an_empty_security_header_and_more_addressing_are_accepted(peer):
    answer = peer(plugins=(Extra(),)).by_traits("ADRUN", "ZOE", "F", "1975-12-31")
    assert answer.CR.CodeCR == "00"
