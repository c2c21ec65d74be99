"""What a large document does to the connection that writes it."""

from insigne.store import dmp_statements
from insigne.store.sqlite import SqliteSession, path_of

PART = bytes(1_048_576)


def cache(session):
    return session.query("PRAGMA cache_size")[0][0]


def test_a_large_document_does_not_wait_whole_in_memory_and_the_next_transaction_is_as_before(sqlite_url):
    session = SqliteSession(path_of(sqlite_url), read_only=False)
    usual = cache(session)
    session.begin(0.0)
    session.execute_each([(dmp_statements.PUT_PART, [("small", 0, b"a letter")])])
    assert cache(session) == usual
    for part in range(6):
        session.execute_each([(dmp_statements.PUT_PART, [("large", part, PART)])])
    assert -cache(session) * 1024 < 6 * len(PART)  # in KiB, when negative
    session.commit()
    session.begin(0.0)
    assert cache(session) == usual
    assert session.query("SELECT count(*) FROM document_content") == [(7,)]
    session.rollback()
    session.close()
