"""graphql_overhead: the year's diagram over POST /graphql against a hand-written view, both through the whole of Django."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from statistics import median
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from tests.benchmarks import by_hand
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import BEGINNING, END, companies_with_history
from tests.benchmarks.keys import new_key
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.stopwatch import ratios, taking_turns, timed

GOAL = 2.5
TRANSITIONS = 500_000
TENANTS = 5
ROUNDS = 20
RECEIPT = "receipt { digest readFrom rawRows tailRows }"
QUERY = """
query ($from: DateTime!, $to: DateTime!, $project: String!) {{
  analytics(window: {{between: {{from: $from, to: $to}}}}, project: $project, bucket: DAY) {{
    cumulativeFlow {{ series {{ state {{ slug }} counts }} arrivals departures left }} {more}
  }}
}}
"""

Ask = Callable[[], bytes]


def graphql_overhead(request: Request) -> Iterator[Outcome]:
    """Both with an API key and a transaction of the tenant's role; the view has the API's own statements and key look-up.

    Answers that the product keeps are forgotten before each request; told beside it is one that was kept.
    """
    company = companies_with_history(companies=TENANTS, transitions=request.size(TRANSITIONS))[0]
    fold_all()
    doors = _doors(company, new_key(company.tenant.id))
    _teach(company, doors["graphql"])
    equal = _diagram(doors["graphql"]) == json.loads(doors["by_hand"]())
    variants = {name: partial(_timed, ask) for name, ask in doors.items()}
    seconds = taking_turns({**variants, "graphql_kept": partial(_timed_again, doors["graphql"])}, rounds=ROUNDS)
    to_view = ratios(seconds, to="by_hand")
    yield Outcome(
        name="graphql_overhead",
        ratio=to_view["graphql"],
        goal=GOAL,
        also=equal,
        detail={
            "to_the_view": to_view,
            "milliseconds": {name: round(1000 * median(samples), 2) for name, samples in seconds.items()},
            "statements": len(by_hand.statements),
            "equal_answers": equal,
        },
    )


def _doors(company: Company, secret: str) -> dict[str, Ask]:
    application = WSGIHandler()
    board = company.boards[0].key
    return {
        "graphql": partial(_asked, application, secret, "/graphql", _body(board, more="")),
        "graphql_with_receipt": partial(_asked, application, secret, "/graphql", _body(board, more=RECEIPT)),
        "by_hand": partial(_asked, application, secret, "/by-hand", b""),
    }


def _body(board: str, *, more: str) -> bytes:
    variables = {"from": BEGINNING.isoformat(), "to": END.isoformat(), "project": board}
    return json.dumps({"query": QUERY.format(more=more), "variables": variables}).encode()


def _asked(application: WSGIHandler, secret: str, path: str, body: bytes) -> bytes:
    """One request through every middleware, and its whole answer."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ |= {
        "REQUEST_METHOD": "POST" if body else "GET",
        "PATH_INFO": path,
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {secret}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    start: Any = _started
    response = application(environ, start)
    try:
        return b"".join(response)
    finally:
        response.close()


def _started(*_: object) -> None:
    """WSGI's call for status and headers, which nobody looks at here."""


def _teach(company: Company, ask: Ask) -> None:
    """Shows the view which statements the API sends for the diagram."""
    heard: list[by_hand.Statement] = []

    def listening(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        heard.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listening):
        ask()
    by_hand.statements[:] = [each for each in heard if each[0].startswith(by_hand.OURS)]
    by_hand.states[:] = company.boards[0].states


def _diagram(ask: Ask) -> Any:
    answer = json.loads(ask())
    if "errors" in answer:
        raise RuntimeError(f"The diagram was not answered: {answer['errors']}")
    return answer["data"]["analytics"]["cumulativeFlow"]


def _timed(ask: Ask) -> float:
    cache.clear()
    return timed(ask)


def _timed_again(ask: Ask) -> float:
    ask()
    return timed(ask)
