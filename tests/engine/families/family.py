"""Families of the tests, as a wing lists them: the setting FLOWLEDGER_WINGS names this folder."""

from tests.engine.families.extremes import EXTREMES
from tests.engine.families.findings import FINDINGS
from tests.engine.families.meters import METERS
from tests.engine.families.samples import SAMPLES
from tests.engine.families.time_entries import TIME_ENTRIES

FAMILIES = (TIME_ENTRIES, FINDINGS, SAMPLES, EXTREMES, METERS)
