"""The rules that `manage.py export_alerts` prints."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from prometheus_client import CollectorRegistry

from analytics.jobs.lag_metrics import TenantGauges, WorkerGauge
from tasks_app.observing import metrics
from tasks_app.observing.alerts import BURNS, rules
from tasks_app.observing.gauges import ProcessGauges
from tasks_app.observing.objectives import DEFAULTS, chosen
from tests.tasks_app.recording import sql

NAME = re.compile(r"flowledger[a-z_]*(?::[a-z_]+:[a-z_]+_\d+[dhm])?")


def printed() -> Any:
    """What the command prints, read again."""
    out = StringIO()
    call_command("export_alerts", stdout=out)
    return json.loads(out.getvalue())


def all_rules(found: Any) -> list[dict[str, Any]]:
    return [rule for group in found["groups"] for rule in group["rules"]]


def alerts(found: Any) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in all_rules(found) if "alert" in rule}


def test_every_promise_has_its_alerts() -> None:
    """Each with a summary and a severity, and no name twice."""
    found = [rule for rule in all_rules(printed()) if "alert" in rule]
    assert {rule["labels"].get("objective") for rule in found} - {None} == {each.name for each in DEFAULTS.objectives}
    assert {rule["labels"].get("alarm") for rule in found} - {None} == {each.name for each in DEFAULTS.alarms}
    assert len({rule["alert"] for rule in found}) == len(found) == len(DEFAULTS.objectives) * len(BURNS) + 3
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_the_alert_of_a_budget_that_goes_fast() -> None:
    """2 % of 30 days' budget within an hour is 14.4 times the 0.5 % that may be bad; and 100 answers at least."""
    found = alerts(printed())
    assert found["FlowledgerAvailabilityBurnsFast"]["expr"] == (
        'flowledger:bad:ratio_1h{objective="availability"} > 0.072'
        ' and flowledger:bad:ratio_5m{objective="availability"} > 0.072'
        ' and flowledger:valid:increase_1h{objective="availability"} >= 100'
    )
    assert "flowledger:bad:ratio_6h" in found["FlowledgerAvailabilityBurnsSteadily"]["expr"]
    assert "> 0.03 " in found["FlowledgerAvailabilityBurnsSteadily"]["expr"]
    assert "> 0.005 " in found["FlowledgerAvailabilityBurnsSlowly"]["expr"]
    assert found["FlowledgerLatencySummaryBurnsFast"]["annotations"]["description"].endswith(
        "At least 95.00% are to be good, within 0.3 s."
    )


def test_no_alert_without_enough_answers() -> None:
    """One failure in 12 is no page: each alert of a budget asks for the objective's number of answers."""
    for rule in alerts(printed()).values():
        if "objective" in rule["labels"]:
            objective = DEFAULTS.objective(rule["labels"]["objective"])
            assert rule["expr"].endswith(f">= {objective.min_events}")


def test_an_old_tail_is_an_alert() -> None:
    rule = alerts(printed())["FlowledgerTailTooOld"]
    assert (rule["expr"], rule["labels"]["alarm"]) == ("max(flowledger_tail_oldest_seconds) > 300", "tail")


def test_what_is_promised_otherwise_is_in_the_rules() -> None:
    found = alerts(rules(chosen('{"freshness": {"share": 0.5, "minEvents": 7}, "tail": {"seconds": 90}}')))
    assert found["FlowledgerTailTooOld"]["expr"].endswith("> 90")
    assert found["FlowledgerTailTooOld"]["annotations"]["summary"] == "tail: older than 90s."
    assert "FlowledgerFreshnessBurnsFast" not in found, "720 % of the answers cannot be bad"
    assert found["FlowledgerFreshnessBurnsSlowly"]["expr"].endswith(
        '> 0.5 and flowledger:valid:increase_3d{objective="freshness"} >= 7'
    )


@pytest.mark.django_db
def test_the_rules_ask_for_nothing_that_is_not_told() -> None:
    """A rule on a metric that does not exist would never raise its alert, and nobody would know."""
    sql("INSERT INTO heartbeat (id, at, next_xid) VALUES (1, now(), 0) ON CONFLICT (id) DO NOTHING")
    registry = CollectorRegistry()
    for collector in (ProcessGauges(), TenantGauges(), WorkerGauge()):
        registry.register(collector)
    told = {
        each.name for source in (metrics.REGISTRY, registry) for family in source.collect() for each in family.samples
    }
    told |= {family.name for family in registry.collect()}
    recorded = {rule["record"] for rule in all_rules(printed()) if "record" in rule}
    for rule in all_rules(printed()):
        asked = set(NAME.findall(rule["expr"]))
        assert asked
        assert asked <= told | recorded, rule
