"""What every table is made of: the kinds of column, alike on both databases."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "pk": "%(table_name)s_pk",
    }
)

# An INTEGER PRIMARY KEY is SQLite's own row number: no second tree to keep.
Number = BigInteger().with_variant(Integer(), "sqlite")

# Texts sort by code point on both databases, whatever the locale of the server.
SortedText = Text().with_variant(Text(collation="C"), "postgresql")


def text_(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    """A column of text."""
    return Column(name, SortedText, primary_key=primary_key, nullable=nullable)


def bytes_(name: str, *, nullable: bool = False) -> Column[bytes]:
    """A column of bytes."""
    return Column(name, LargeBinary(), nullable=nullable)
