"""Late report of the demo, and the question it raises: why is a number of some days ago another one now?"""

from datetime import datetime

from tasks_app.demo.hours import at_hour
from tasks_app.demo.story import Story
from tasks_app.models import Kind, Task, TaskLedger
from tasks_app.operations.tenants import tenant_named
from tasks_app.tenancy import entered
from tasks_app.timezones import rules_of

QUERY = """{{
  explainChange(project: "{project}", metric: WORK_IN_PROGRESS, bucket: "{bucket}",
                knownFrom: "{known_from}", knownTo: "{known_to}", first: 20) {{
    change {{ before after items(first: 20) {{ edges {{ node {{ taskKey before after }} }} }} }}
    edges {{ node {{ sentence happenedAt recordedAt actor {{ name }} }} }}
  }}
}}"""


def change_query(*, story: Story, now: datetime) -> str:
    """Asks for the day on which the story's late item was finished, as known before that was reported, and now.

    The day is one of the board's. Empty where that item is not there any more. Run after all changes of the story.
    """
    changes = [each for each in story.changes if each.what == "late move"]
    case = changes[0].cases[0]
    told_before = len(next(each.visits for each in story.scripted if each.case == case))
    tenant_id = tenant_named(slug=story.slug).id
    with entered(tenant_id=tenant_id, role=None, read_only=True):
        facts = TaskLedger.objects.filter(tenant_id=tenant_id)
        item = Task.objects.filter(tenant_id=tenant_id, external_id=case).first()
        moves = (
            facts.filter(task_id=item.id, kind__in=(Kind.CREATED, Kind.MOVED)).order_by("seq") if item else facts.none()
        )
        late = list(moves[told_before : told_before + len(changes)])
        if not late:
            return ""
        before = facts.filter(seq__lt=late[0].seq).latest("recorded_at")
    zone = rules_of(story.timezone)
    day = at_hour(day=late[-1].happened_at.astimezone(zone).date(), hour=0, zone=zone)
    instants = {"bucket": day, "known_from": before.recorded_at, "known_to": max(now, late[-1].recorded_at)}
    return QUERY.format(project=story.boards[0].key, **{name: each.isoformat() for name, each in instants.items()})
