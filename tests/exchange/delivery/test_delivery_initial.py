"""The initial load of a receiver: what is asked of a person because of it."""

import asyncio

FAST = "delivery = { first_retry_seconds = 0.01, longest_retry_seconds = 0.02 }"
NO_ADMISSION = 'subscription = { unsupported = { A28 = "drop", A01 = "hold" } }\n' + FAST


def admission(labo, number):
    """The A01 of a person."""
    person = labo.adt("A01", number).replace(b"ADT_A05", b"ADT_A01").replace(b"PV1||N\r", b"")
    stay = f"PV1||I|3620^101^1||||||||||||||||V{number}^^^GAM&1.2.250.1.999.1&ISO^VN"
    movement = f"ZBE|M{number}^GAM^1.2.250.1.999.1^ISO|20260301083000||INSERT|N||^^^^^^UF^^^3620|||HMS"
    return person + "\r".join((stay, movement, "")).encode()


def test_a_movement_that_can_never_be_told_is_asked_about_once_however_often_the_load_is_run(site, make_receiver):
    labo = site(LABO=NO_ADMISSION)

    async def play():
        labo.receive(admission(labo, 1), admission(labo, 2))
        with labo.store.begin(5.0) as transaction:
            for row in labo.rows():
                transaction.settle(row.id, "skipped", "before its time", "2026-03-01T08:30:00.000Z")
            transaction.commit()
        async with labo.dispatching(LABO=make_receiver()) as channels:
            for run in (1, 2, 3):
                labo.load("LABO")
                await labo.until(lambda run=run: [row.kind for row in labo.rows()].count("init") == 2 * run)
                await labo.until(lambda: channels["LABO"].destination.init_state == "done")
                await labo.until(lambda run=run: labo.states().count("held") == 2 * run)
        items = labo.work()
        assert [item.kind for item in items] == ["message-held"] * 2, "one for each of the two movements"

    asyncio.run(play())
