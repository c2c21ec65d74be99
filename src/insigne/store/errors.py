"""What opening a base may be refused for. What a transaction may fail with is in `exchange.errors`."""

from insigne.exchange.errors import StoreError


class SchemaError(StoreError):
    """The tables are not those this program works with; the text says what to do."""


class SchemaMissing(SchemaError):  # noqa: N818  # named for what was found
    """There is no base there yet, or it is empty: `insigne db upgrade` makes it."""


class SchemaTooOld(SchemaError):  # noqa: N818  # named for what was found
    """The base was made by an older release: `insigne db upgrade` brings it up to date."""


class SchemaTooNew(SchemaError):  # noqa: N818  # named for what was found
    """The base was upgraded by a newer release: this one must not touch it."""


class WrongUrl(StoreError):  # noqa: N818  # named for what was found
    """The address of the base is not one this program understands."""


class HistoryErased(StoreError):  # noqa: N818  # named for what was found
    """A purge erased the events asked for."""


class Damaged(StoreError):  # noqa: N818  # named for what was found
    """A row cannot be read, or an event does not apply to what came before: the base was changed from outside."""
