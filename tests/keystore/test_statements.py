"""The composed statements: every column by its name, the key deciding, values bound."""

import pytest
from sqlalchemy import Table

from tapekey.keystore import schema, statements
from tapekey.keystore.rows import TABLES


@pytest.mark.parametrize(("kind", "table"), TABLES.items(), ids=lambda each: getattr(each, "name", ""))
def test_a_record_has_its_tables_columns_in_their_order_and_the_tag_is_last(kind: type, table: Table) -> None:
    assert [*kind.__annotations__, "tag"] == [column.name for column in table.columns]


def test_columns_that_are_words_of_sql_are_quoted_and_values_are_bound() -> None:
    assert statements.matching(schema.DRIVES, ("where",)).split("WHERE")[1].split() == [
        'drives."where"',
        "=",
        ":where",
        "ORDER",
        "BY",
        "drives.serial",
    ]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_change_names_the_whole_key(table: Table) -> None:
    for statement in (statements.update(table), statements.delete(table)):
        held = statement.split("WHERE")[1]
        assert held.count("=") == len(statements.key_columns(table))
        assert all(f":{name}" in held for name in statements.key_columns(table))
