"""The page of service levels: words and pictures of the same counts, of one tenant."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from analytics.pictures.sparkline import Sparkline, in_words, sparkline
from tasks_app.observing.counting import Counts
from tasks_app.observing.judging import Verdict
from tasks_app.observing.rows import write
from tests.admin.scene import signed_in, text
from tests.cast import Cast

SVG = "{http://www.w3.org/2000/svg}"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251


def count(tenant_id: int, *, good: int, bad: int, days_ago: int = 0, name: str = "availability") -> None:
    made = Counts()
    for number in range(good + bad):
        made.add(tenant_id=tenant_id, verdicts=[Verdict(name, number < good)], now=now() - timedelta(days=days_ago))
    write(made)


def page(client: Client) -> str:
    response = client.get("/admin/levels/")
    assert response.status_code == 200
    return re.sub(r"\s+", " ", text(response))


def test_before_anything_was_counted(audrey: Client) -> None:
    """No share of nothing, and no division by it."""
    html = page(audrey)
    assert html.count("nothing counted") == 5
    assert "nothing was counted in 30 days." in html
    assert "fewer than 100 answers" in html


def test_each_promise_in_words_and_as_a_picture(people: Cast, audrey: Client) -> None:
    acme = people.acme.tenant.id
    count(acme, good=199, bad=1, days_ago=3)
    count(acme, good=90, bad=10, days_ago=2)
    html = page(audrey)
    row = html[html.index("<strong>Availability</strong>") : html.index("<strong>Freshness</strong>")]
    assert "at least 99.50% over 30 days" in row
    assert "<strong>96.33%</strong> missed" in row
    assert "289 of 300" in row
    assert "7.3 times as many were" in row
    day = (now() - timedelta(days=2)).date().isoformat()
    assert f"counted on 2 of 30 days, below 99.5% on 1: {day}. The worst day had 90.00%." in row
    assert f'<td class="instant">{day}</td><td class="number">90</td><td class="number">100</td>' in row
    assert "at least 99.00% over 30 days, within 5 s" in html


def test_how_fast_it_was_is_told_where_there_are_times(people: Cast, audrey: Client) -> None:
    made = Counts()
    made.add(tenant_id=people.acme.tenant.id, verdicts=[Verdict("latency_synchronous", True, 0.15)], now=now())
    write(made)
    assert page(audrey).count("95% within 0.2 s") == 1


def test_another_tenants_answers_are_not_in_it(people: Cast, audrey: Client) -> None:
    count(people.globex.tenant.id, good=0, bad=7)
    assert page(audrey).count("nothing counted") == 5
    assert "0 of 7" in page(signed_in(people.carol))


def test_almost_all_is_not_all(people: Cast, audrey: Client) -> None:
    count(people.acme.tenant.id, good=29_999, bad=1)
    html = page(audrey)
    assert "<strong>99.99%</strong> kept" in html
    assert "100.00%" not in html


def test_facts_that_wait_are_told(audrey: Client) -> None:
    html = page(audrey)
    assert "<td>transitions</td>" in html
    assert "5 minutes: kept" in html


def chart(*shares: float | None, target: float = 0.99) -> Sparkline:
    return Sparkline(title="A <b>", days=[f"d{n}" for n, _ in enumerate(shares)], shares=shares, target=target)


def drawn(made: Sparkline) -> Any:
    return ElementTree.fromstring(sparkline(made))


@pytest.mark.parametrize("shares", [(), (None,), (1.0,), (0.0,), (None, 0.5, 1.0), (0.999,) * 400])
def test_any_number_of_days_is_a_picture_inside_its_frame(shares: tuple[float | None, ...]) -> None:
    picture = drawn(chart(*shares))
    bars = picture.findall(f"{SVG}rect")
    assert len(bars) == len([share for share in shares if share is not None])
    for bar in bars:
        assert 0 <= float(bar.get("x")) <= float(bar.get("x")) + float(bar.get("width")) <= 300
        assert 0 < float(bar.get("height")) <= 30


def test_a_missed_day_has_a_mark_and_not_a_colour_alone() -> None:
    """Print and people who see few colours."""
    picture = drawn(chart(0.995, 0.98, 0.99))
    assert len(picture.findall(f"{SVG}path")) == 1
    heights = [float(bar.get("height")) for bar in picture.findall(f"{SVG}rect")]
    assert heights == [7.5, 30.0, 15.0]
    (line,) = [each for each in picture.findall(f"{SVG}line") if each.get("stroke-dasharray")]
    assert float(line.get("y1")) == 4 + 15.0


def test_words_are_escaped() -> None:
    assert "<b>" not in sparkline(chart(0.5))
    assert in_words(chart(None, None)) == "A <b>: nothing was counted in 2 days."
