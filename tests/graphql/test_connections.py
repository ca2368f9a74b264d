"""Connections over keyset pages: paging meets every row once, and a deep page costs what the first one costs."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
import strawberry
from django.apps.registry import Apps
from django.db import connection, models
from graphql import GraphQLObjectType, GraphQLSchema, Undefined, get_named_type

from config import schema as product
from tasks_app.errors import ApiError, Code
from tasks_app.graphql.connection_fields import ARGUMENTS, connection_field
from tasks_app.http.connections import Connection, PageArgs, keyset_page
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.masking import mask_errors
from tasks_app.http.schema import Schema

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ROWS = 100

NEWEST = Keyset(columns=(Column("happened_at", "desc", datetime), Column("seq", "desc")))
OLDEST = Keyset(columns=(Column("happened_at", "asc", datetime), Column("seq", "asc")))
MIXED = Keyset(columns=(Column("happened_at", "desc", datetime), Column("title", "asc", str), Column("seq", "desc")))
KEYSETS = {"newest": NEWEST, "oldest": OLDEST, "mixed": MIXED}


class Row(models.Model):
    """A row of the temporary table below; in a registry of its own, so that no migration knows of it."""

    seq = models.BigIntegerField(primary_key=True)
    happened_at = models.DateTimeField()
    title = models.TextField()

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    class Meta:
        apps = Apps()
        app_label = "pages"
        db_table = "page_row"
        managed = False


# Groups of five rows share an instant, so that ties decide.
CREATE_ROWS = """/* pages.create_rows */
CREATE TEMPORARY TABLE page_row ON COMMIT DROP AS
SELECT seq::bigint,
       %(start)s::timestamptz + (seq / 5) * interval '1 second' AS happened_at,
       'title ' || seq %% 7 AS title
  FROM generate_series(1, %(rows)s) AS seq
"""
INDEX_ROWS = "/* pages.index_rows */ CREATE UNIQUE INDEX page_row_newest ON page_row (happened_at, seq)"
INDEX_MIXED = "/* pages.index_mixed */ CREATE INDEX page_row_mixed ON page_row (happened_at DESC, title, seq DESC)"


def create_rows(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CREATE_ROWS, {"start": START, "rows": count})
        cursor.execute(INDEX_ROWS)
        cursor.execute(INDEX_MIXED)
        cursor.execute("/* pages.analyze */ ANALYZE page_row")


@pytest.fixture
def rows(db: Any) -> None:
    create_rows(ROWS)


@strawberry.type
class Entry:
    seq: int


def listed(keyset: Keyset, args: PageArgs) -> Connection[Entry]:
    return keyset_page(Row.objects.all(), keyset=keyset, args=args).connection(node=lambda row: Entry(seq=row.seq))


SELECT_ROWS = """/* pages.select_rows */
SELECT r.seq, r.happened_at, r.title FROM page_row AS r WHERE {where} ORDER BY {order} LIMIT %s
"""


def listed_by_sql(keyset: Keyset, args: PageArgs) -> Connection[Entry]:
    """The same page, read by a statement of one's own."""
    bounds = args.checked(keyset)
    columns = {name: f"r.{name}" for name in keyset.names}
    where = bounds.where(columns=columns)
    statement = SELECT_ROWS.format(where=where.text, order=bounds.order_by(columns=columns))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*where.params, bounds.fetch])
        found = [dict(zip(("seq", "happened_at", "title"), row, strict=True)) for row in cursor.fetchall()]
    page = bounds.page(found, count=lambda: ROWS, values=lambda row: [row[name] for name in keyset.names])
    return page.connection(node=lambda row: Entry(seq=row["seq"]))


READERS = {"query set": listed, "sql": listed_by_sql}


def in_order(keyset: Keyset) -> list[int]:
    """Every seq in the keyset's order, sorted in Python."""
    found = list(Row.objects.all())
    for column in reversed(keyset.columns):
        found.sort(key=lambda row: getattr(row, column.name), reverse=column.direction == "desc")
    return [row.seq for row in found]


def seqs(page: Connection[Entry]) -> list[int]:
    return [edge.node.seq for edge in page.edges]


@pytest.mark.parametrize("keyset", KEYSETS.values(), ids=KEYSETS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_pages_forwards_meet_every_row_once_and_in_order(rows: None, read: Any, keyset: Keyset) -> None:
    met: list[int] = []
    page = read(keyset, PageArgs(first=7))
    assert page.page_info.has_previous_page is False
    while True:
        met += seqs(page)
        if not page.page_info.has_next_page:
            break
        page = read(keyset, PageArgs(first=7, after=page.page_info.end_cursor))
        assert page.page_info.has_previous_page is True
    assert met == in_order(keyset)
    assert len(page.edges) == ROWS % 7


@pytest.mark.parametrize("keyset", KEYSETS.values(), ids=KEYSETS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_pages_backwards_meet_every_row_once_and_in_order(rows: None, read: Any, keyset: Keyset) -> None:
    met: list[int] = []
    page = read(keyset, PageArgs(last=7))
    assert page.page_info.has_next_page is False
    while True:
        met = seqs(page) + met
        if not page.page_info.has_previous_page:
            break
        page = read(keyset, PageArgs(last=7, before=page.page_info.start_cursor))
        assert page.page_info.has_next_page is True
    assert met == in_order(keyset)


@pytest.mark.parametrize("keyset", KEYSETS.values(), ids=KEYSETS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_page_lies_strictly_between_after_and_before(rows: None, read: Any, keyset: Keyset) -> None:
    edges = read(keyset, PageArgs(first=ROWS)).edges
    between = {"after": edges[9].cursor, "before": edges[20].cursor}
    expected = in_order(keyset)[10:20]
    assert seqs(read(keyset, PageArgs(first=50, **between))) == expected
    assert seqs(read(keyset, PageArgs(first=3, **between))) == expected[:3]
    assert seqs(read(keyset, PageArgs(last=3, **between))) == expected[-3:]
    swapped = PageArgs(first=50, after=between["before"], before=between["after"])
    assert read(keyset, swapped).edges == []


def test_a_cursor_outlives_its_row(rows: None) -> None:
    """A page begins after the place, not after the row; rows that arrive later do not shift it."""
    place = listed(OLDEST, PageArgs(first=10)).page_info.end_cursor
    assert place is not None
    with connection.cursor() as cursor:
        cursor.execute("/* pages.delete */ DELETE FROM page_row WHERE seq = ANY(%s)", [[1, 10, 11]])
    assert seqs(listed(OLDEST, PageArgs(first=2, after=place))) == [12, 13]


def test_an_empty_page_has_no_cursors(rows: None) -> None:
    end = listed(OLDEST, PageArgs(last=1)).page_info.end_cursor
    page = listed(OLDEST, PageArgs(first=1, after=end))
    info = page.page_info
    assert (page.edges, info.start_cursor, info.end_cursor) == ([], None, None)
    assert (info.has_next_page, info.has_previous_page) == (False, True)


def explained(keyset: Keyset, args: PageArgs) -> Any:
    bounds = args.checked(keyset)
    where = bounds.where()
    with connection.cursor() as cursor:
        cursor.execute(
            "/* pages.explain */ EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "
            f"SELECT * FROM page_row WHERE {where.text} ORDER BY {bounds.order_by()} LIMIT %s",
            [*where.params, bounds.fetch],
        )
        return cursor.fetchone()[0][0]["Plan"]


def pages_read(plan: Any) -> int:
    return sum(plan.get(f"{where} {what} Blocks", 0) for where in ("Local", "Shared") for what in ("Hit", "Read"))


@pytest.mark.parametrize("keyset", KEYSETS.values(), ids=KEYSETS)
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_a_deep_page_reads_no_more_of_the_table_than_the_first(db: Any, keyset: Keyset, backwards: bool) -> None:
    """The stock condition `a > x OR (a = x AND b > y)` reads everything before the page."""
    create_rows(50_000)
    seq = 25_000
    deep = keyset.encode(
        [{"happened_at": START + timedelta(seconds=seq // 5), "title": "title 3", "seq": seq}[n] for n in keyset.names]
    )
    first = explained(keyset, PageArgs(last=20) if backwards else PageArgs(first=20))
    middle = explained(keyset, PageArgs(last=20, before=deep) if backwards else PageArgs(first=20, after=deep))
    assert pages_read(middle) <= pages_read(first) + 5
    assert middle["Actual Rows"] == 21


def test_the_query_set_and_the_fragment_compare_whole_rows() -> None:
    deep = [START, 7]
    assert NEWEST.beyond_sql(deep).text == "(happened_at, seq) < (%s, %s)"
    assert NEWEST.beyond_sql(deep, backwards=True).text == "(happened_at, seq) > (%s, %s)"
    assert OLDEST.beyond_sql(deep, columns={"seq": "f.seq"}).text == "(happened_at, f.seq) > (%s, %s)"
    assert NEWEST.beyond_sql(deep).params == deep
    statement = str(Row.objects.filter(NEWEST.beyond(deep)).query)
    assert '("page_row"."happened_at", "page_row"."seq") < (' in statement


def test_mixed_directions_keep_a_bound_on_the_leading_column() -> None:
    fragment = MIXED.beyond_sql([START, "a", 7])
    assert fragment.text == (
        "(happened_at <= %s AND ((happened_at < %s) OR (happened_at = %s AND title > %s)"
        " OR (happened_at = %s AND title = %s AND seq < %s)))"
    )
    assert fragment.params == [START, START, START, "a", START, "a", 7]
    assert 'WHERE ("page_row"."happened_at" <= ' in str(Row.objects.filter(MIXED.beyond([START, "a", 7])).query)


# ------------------------------------------------------------------ arguments


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (PageArgs(), "first, last: one of them is required; pass a number from 1 to 500."),
        (PageArgs(first=1, last=1), "first, last: both are given; keep one of them."),
        (PageArgs(first=0), "first: 0 is out of range; pass a number from 1 to 500."),
        (PageArgs(first=501), "first: 501 is out of range; pass a number from 1 to 500."),
        (PageArgs(last=-1), "last: -1 is out of range; pass a number from 1 to 500."),
        (PageArgs(last=2**31 - 1), "last: 2147483647 is out of range; pass a number from 1 to 500."),
    ],
)
def test_one_of_first_and_last_is_required_and_bounded(args: PageArgs, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        args.checked(NEWEST)
    assert (refused.value.message, refused.value.code) == (message, Code.BAD_USER_INPUT)


@pytest.mark.parametrize("size", [1, 500])
def test_the_smallest_and_the_largest_page_are_allowed(size: int) -> None:
    assert PageArgs(first=size).checked(NEWEST).limit == size
    assert PageArgs(last=size, first=None).checked(NEWEST).backwards is True


def forged(payload: object) -> str:
    return urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")


GOOD = NEWEST.encode([START, 7])
PRINT = json.loads(urlsafe_b64decode(GOOD + "=="))[0]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "%%%",
        GOOD[:-4],
        GOOD + "\n",
        "A" * 10_000,
        forged(None),
        forged({}),
        forged([PRINT]),
        forged([PRINT, 1]),
        forged([PRINT, 1, 2, 3]),
        forged([PRINT + 1, 1, 2]),
        forged([PRINT, "1", 2]),
        forged([PRINT, 1, 2.5]),
        forged([PRINT, 1, True]),
        forged([PRINT, 1, None]),
        forged([PRINT, 1, 2**63]),
        forged([PRINT, 2**62, 2]),
        forged([PRINT, 1, [[]]]),
        OLDEST.encode([START, 7]),
        MIXED.encode([START, "a", 7]),
    ],
)
@pytest.mark.parametrize("argument", ["after", "before"])
def test_what_is_no_cursor_of_this_list_is_refused_by_name(cursor: str, argument: str) -> None:
    with pytest.raises(ApiError) as refused:
        replace(PageArgs(first=1), **{argument: cursor}).checked(NEWEST)  # type: ignore[arg-type]
    expected = f"{argument}: this is not a cursor of this list; pass one that it has returned, unchanged."
    assert (refused.value.message, refused.value.code) == (expected, Code.BAD_USER_INPUT)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_column_can_hold_is_no_cursor(text: str) -> None:
    titles = Keyset(columns=(Column("title", "asc", str),))
    payload = json.loads(urlsafe_b64decode(titles.encode(["a"]) + "=="))
    with pytest.raises(ApiError):
        titles.decode(forged([payload[0], text]), argument="after")


@pytest.mark.parametrize(
    "value",
    [
        START,
        START + timedelta(microseconds=1),
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(2200, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_a_cursor_keeps_instants_to_the_microsecond(value: datetime) -> None:
    keyset = Keyset(columns=(Column("at", "asc", datetime), Column("day", "asc", date), Column("title", "asc", str)))
    values = (value, date(2026, 3, 1), "Zoë 🏃")
    assert keyset.decode(keyset.encode(values), argument="after") == values


@pytest.mark.parametrize(
    "columns", [(), (Column("seq; DROP TABLE task", "asc"),), (Column("Seq", "asc"),), (Column("seq", "asc", float),)]
)
def test_a_keyset_with_a_column_that_is_none_is_refused(columns: Sequence[Column]) -> None:
    with pytest.raises(ValueError, match="A keyset needs columns"):
        Keyset(columns=columns)


def test_a_sql_column_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Not a column"):
        NEWEST.beyond_sql([START, 7], columns={"seq": "seq) OR (1=1"})


# ------------------------------------------------------------------ in the schema

COUNTED: list[int] = []


@strawberry.type
class Query:
    @connection_field(description="Entries.")
    def entries(self, page: PageArgs, *, of: str = "all") -> Connection[Entry]:
        def count() -> int:
            COUNTED.append(1)
            return 3

        seq = Keyset(columns=(Column("seq", "asc"),))
        found = [Entry(seq=number) for number in (1, 2, 3)]
        return page.checked(seq).page(found, count=count).connection(node=lambda row: row)


@pytest.fixture
def schema() -> Schema:
    COUNTED.clear()
    return Schema(query=Query)


def test_the_schema_prints_as_the_contract_has_it(schema: Schema) -> None:
    arguments = schema._schema.query_type.fields["entries"].args  # type: ignore[union-attr]
    named = {name: (str(each.type), each.default_value) for name, each in arguments.items()}
    optional = dict.fromkeys(("first", "last"), ("Int", Undefined)) | dict.fromkeys(
        ("after", "before"), ("String", Undefined)
    )
    assert named == {"of": ("String!", "all"), **optional}
    printed = schema.as_str()
    for line in ("edges: [EntryEdge!]!", "pageInfo: PageInfo!", "totalCount: Int!", "node: Entry!", "cursor: String!"):
        assert f"  {line}\n" in printed
    for line in ("hasNextPage: Boolean!", "hasPreviousPage: Boolean!", "startCursor: String", "endCursor: String"):
        assert f"  {line}\n" in printed


def test_every_list_of_the_product_takes_the_same_four_arguments() -> None:
    """Said once, and the same however often a schema is built of the types."""
    again = build_the_schema_again()
    told = {name: description for name, (_, description) in ARGUMENTS.items()}
    lists = [
        (f"{kind.name}.{name}", {each: field.args[each].description for each in field.args if each in ARGUMENTS})
        for kind in again.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    ]
    assert len(lists) >= 11
    assert [name for name, arguments in lists if arguments != told] == []


def build_the_schema_again() -> GraphQLSchema:
    return Schema(query=product.Query, mutation=product.Mutation)._schema


def test_the_total_is_counted_only_when_asked_for(schema: Schema) -> None:
    result = schema.execute_sync("{ entries(first: 2) { edges { node { seq } } pageInfo { hasNextPage } } }")
    assert result.data == {
        "entries": {"edges": [{"node": {"seq": 1}}, {"node": {"seq": 2}}], "pageInfo": {"hasNextPage": True}}
    }
    assert COUNTED == []
    assert schema.execute_sync("{ entries(first: 2) { totalCount } }").data == {"entries": {"totalCount": 3}}
    assert COUNTED == [1]


def test_a_wrong_argument_is_the_callers_fault(schema: Schema) -> None:
    result = schema.execute_sync('{ entries(first: 2, after: "x") { totalCount } }')
    (error,) = mask_errors(result.errors or [])
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"] == "after: this is not a cursor of this list; pass one that it has returned, unchanged."
