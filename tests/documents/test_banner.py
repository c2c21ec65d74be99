from insigne.registry.values import Details, Ins


def shown(banner):
    return {item.label: item.value for row in banner.rows for item in row}


def test_a_qualified_identity_shows_its_traits_and_its_matricule_with_its_nature(kit):
    assert shown(kit.banner()) == {
        "Nom de naissance": "PAT-TROIS",
        "Prénom(s) de naissance": "DOMINIQUE MARIE-LOUISE",
        "Premier prénom": "DOMINIQUE",
        "Date de naissance": "28/03/1979",
        "Sexe": "Féminin",
        "Lieu de naissance": "51215 Dompremy",
        "Matricule INS": "279035121518989 [INS-NIR de test]",
    }
    assert kit.banner().payload == kit.ANS_PATIENT


def test_the_nature_of_a_matricule_waiting_for_registration_is_nia(kit):
    identity = kit.person(ins=Ins("279035121518989", "1.2.250.1.213.1.4.9"))
    assert shown(kit.banner(identity))["Matricule INS"] == "279035121518989 [INS-NIA]"


def test_used_names_are_shown_when_they_differ_from_the_birth_names(kit):
    same = kit.person(details=Details(used_name="Pat Trois", used_given_name="Dominique"))
    other = kit.person(details=Details(used_name="DURAND", used_given_name="MARIE"))
    assert "Nom utilisé" not in shown(kit.banner(same))
    assert shown(kit.banner(other))["Nom utilisé"] == "DURAND"
    assert shown(kit.banner(other))["Prénom utilisé"] == "MARIE"


def test_an_identity_that_is_not_qualified_shows_neither_matricule_nor_symbol(kit):
    for changes in ({"checked": False}, {"ins": None}, {"contested": True}, {"sex": "I"}):
        banner = kit.banner(kit.person(**changes))
        assert banner.payload == ""
        assert "279035121518989" not in repr(banner)
        assert banner.withheld
        assert banner.withheld_fr
        assert shown(banner)["Nom de naissance"] == "PAT-TROIS"


def test_a_date_is_written_as_far_as_it_is_known(kit):
    def date(text):
        return shown(kit.banner(kit.person(birth_date=text, ins=None))).get("Date de naissance")

    assert [date("1979"), date("197903"), date("19793301"), date("")] == ["1979", "03/1979", "01/33/1979", None]


def test_an_unknown_birthplace_is_left_out_and_a_code_of_the_past_keeps_its_name(kit):
    assert "Lieu de naissance" not in shown(kit.banner(kit.person(birth_place="99999")))
    assert shown(kit.banner(kit.person(birth_place="00000")))["Lieu de naissance"] == "00000"
