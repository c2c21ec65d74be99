def test_a_lot_in_order_is_taken_and_shown(caller, patient):
    answer = caller.feed(patient)

    assert answer.success, answer.told
    (held,) = caller.documents(patient)
    assert held["unique_id"] == answer.lot.unique_id
    assert held["size"] == len(answer.lot.content)
    assert held["status"] == "approved"
