"""The parts of figures that several figures have: by name, the unit and the sentence that defines it."""

from collections.abc import Mapping

Parts = Mapping[str, tuple[str, str]]

DURATION_SUMMARY: Parts = {
    "policy": ("policy", "How returns are counted; null for lead time."),
    "calendar": ("calendar", "What of the time counts: all of it, or what is on Mondays to Fridays."),
    "items": ("items", "Items that have a duration."),
    "neverStarted": ("items", "Finished items without a duration: they never were in progress."),
    "inferred": ("items", "Finished items without a duration: they were only ever seen done."),
    "meanSeconds": ("seconds", "The mean, in seconds of the calendar; null of none."),
    "p50Seconds": ("seconds", "The median, in seconds of the calendar (nearest rank); null of none."),
    "p85Seconds": (
        "seconds",
        "85 % of the items took no longer, in seconds of the calendar (nearest rank); null of none.",
    ),
    "p95Seconds": (
        "seconds",
        "95 % of the items took no longer, in seconds of the calendar (nearest rank); null of none.",
    ),
    "method": (
        "method",
        "How exact the percentiles in seconds are: each is one of the times, or within 1 % of one where there are more than"
        " 20,000. Those in dates are always exact.",
    ),
    "p50Days": ("days", "The median, in local dates of the calendar (nearest rank); null of none."),
    "p85Days": (
        "days",
        "85 % of the items took no longer, in local dates of the calendar (nearest rank); null of none.",
    ),
    "p95Days": (
        "days",
        "95 % of the items took no longer, in local dates of the calendar (nearest rank); null of none.",
    ),
    "points": ("items", "The items, the earliest finish first, those of one instant by key."),
}
RATIO: Parts = {
    "status": ("status", "Whether there is a value."),
    "value": ("ratio", "Numerator / denominator, the ratio of the sums; null unless OK."),
    "numerator": ("seconds", "The sum of the parts, in seconds."),
    "denominator": ("seconds", "The sum of the wholes, in seconds."),
}
