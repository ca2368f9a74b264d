"""What schemathesis is told of our scalars: it loads this module by SCHEMATHESIS_HOOKS."""

from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

INSTANTS = ("2026-03-01T09:00:00Z", "2026-03-29T02:30:00+01:00", "1899-12-31T23:59:59Z", "2026-03-01", "soon", "")
DAYS = ("2026-03-01", "2024-02-29", "2026-02-30", "0016-01-01", "")
NUMBERS = ("0", "-1.5", "99999999999999999999.99", "NaN", "")


def _texts(*texts: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(texts).map(nodes.String)


for name, values in (("DateTime", INSTANTS), ("Date", DAYS), ("Decimal", NUMBERS), ("BigInt", NUMBERS), ("JSON", DAYS)):
    schemathesis.graphql.scalar(name, _texts(*values))
