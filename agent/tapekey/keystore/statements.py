"""The few statements that rows are read and changed by: composed by SQLAlchemy once, executed by the driver.

To execute a statement through SQLAlchemy takes four times as long as the driver alone, and a mount executes hundreds.
Values are always bound, never written into the text. `database.translating` knows the driver's errors, too.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from functools import cache

from sqlalchemy import Table, bindparam, select
from sqlalchemy import delete as delete_from
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.expression import BindParameter, ClauseElement

from tapekey.keystore.seal import Value

Row = Mapping[str, Value]


@cache
def key_columns(table: Table) -> tuple[str, ...]:
    """The names of a table's key."""
    return tuple(column.name for column in table.primary_key.columns)


def rows(driver: sqlite3.Connection, statement: str, table: Table, where: Row) -> Iterator[dict[str, Value]]:
    """The rows that a statement finds, unverified."""
    names = _columns(table)
    for row in driver.execute(statement, where):
        yield dict(zip(names, row, strict=True))


def change(driver: sqlite3.Connection, statement: str, row: Row) -> int:
    """How many rows were changed."""
    return driver.execute(statement, row).rowcount


@cache
def matching(table: Table, names: tuple[str, ...]) -> str:
    """The rows that have these columns' values, by their keys."""
    found = select(table).where(*(table.c[name] == bindparam(name) for name in names))
    return _text(found.order_by(*table.primary_key))


@cache
def newest(table: Table, by: str, names: tuple[str, ...]) -> str:
    """The matching row with the highest value of a column."""
    found = select(table).where(*(table.c[name] == bindparam(name) for name in names))
    return _text(found.order_by(table.c[by].desc())) + " LIMIT 1"


@cache
def tags(table: Table) -> str:
    """The tags of a whole table."""
    return _text(select(table.c.tag))


@cache
def insert(table: Table) -> str:
    """Add a row."""
    return _text(insert_into(table))


@cache
def update(table: Table) -> str:
    """Write all but the key of the row that has this key."""
    values: dict[str, BindParameter[Value]] = {
        name: bindparam(f"new_{name}") for name in _columns(table) if name not in key_columns(table)
    }
    held = update_of(table).where(*(table.c[name] == bindparam(f"old_{name}") for name in key_columns(table)))
    return _text(held.values(values)).replace(":new_", ":").replace(":old_", ":")


@cache
def delete(table: Table) -> str:
    """Take away the row that has this key."""
    return _text(delete_from(table).where(*(table.c[name] == bindparam(name) for name in key_columns(table))))


@cache
def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _text(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=SQLiteDialect_pysqlite(paramstyle="named")))
