"""Nightdesk: an incident desk in a zone of half hours, open day and night, whose resolved incidents close at two."""

from tasks_app.demo.story import STAYS, Board, Change, Person, Redefinition, Rhythm, Scripted, Step, Story
from tasks_app.models import Kind, Role, StateCategory
from tasks_app.operations.projects import StateSpec

PEOPLE = (
    Person(email="ravi@nightdesk.example", name="Ravi Menon", role=Role.OWNER),
    Person(email="meera@nightdesk.example", name="Meera Iyer", role=Role.MANAGER, works=True),
    Person(email="lakshmi@nightdesk.example", name="Lakshmi Rao", role=Role.MEMBER, works=True),
    Person(email="tom@nightdesk.example", name="Tom Baker", role=Role.MEMBER, works=True),
    Person(email="farah@nightdesk.example", name="Farah Khan", role=Role.MEMBER, works=True),
    Person(email="arun@nightdesk.example", name="Arun Das", role=Role.AUDITOR),
)

NEW = StateSpec(name="New", category=StateCategory.TODO)
ASSIGNED = StateSpec(name="Assigned", category=StateCategory.IN_PROGRESS)
WAITING = StateSpec(name="Waiting for customer", category=StateCategory.IN_PROGRESS, waiting=True)
RESOLVED = StateSpec(name="Resolved", category=StateCategory.DONE)
CLOSED = StateSpec(name="Closed", category=StateCategory.DONE)

OPS = Board(
    key="OPS",
    name="Operations",
    share=1.0,
    states=(NEW, ASSIGNED, WAITING, RESOLVED, CLOSED),
    ways={
        "new": (
            Step(to="assigned", share=96, hours=(0.05, 9)),
            Step(to="", kind=Kind.DISCARDED, share=4, hours=(0.1, 5)),
        ),
        "assigned": (
            Step(to="resolved", share=62, hours=(0.3, 30)),
            Step(to="waiting-for-customer", share=33, hours=(0.2, 12)),
            Step(to="new", share=5, hours=(0.2, 6)),
        ),
        "waiting-for-customer": (
            Step(to="assigned", share=70, hours=(2, 90)),
            Step(to="resolved", share=30, hours=(24, 140)),
        ),
        "resolved": (
            Step(to="closed", share=89, hours=(72, 73), at_hour=2),
            Step(to="assigned", share=11, hours=(1, 60)),
        ),
        "closed": (Step(to=STAYS, share=98), Step(to="assigned", share=2, hours=(5, 200))),
    },
    titles=(
        ("No network in", "Printer stops in", "Slow sign-in from", "Alarm:", "Card reader fails in", "Mail is late in"),
        ("Pune", "Kochi", "Leeds", "the warehouse", "the branch office", "ward 7", "the data centre"),
    ),
)

OUTAGE = tuple(f"outage-{number}" for number in range(1, 13))

STORY = Story(
    slug="nightdesk",
    name="Nightdesk",
    timezone="Asia/Kolkata",
    days=182,
    people=PEOPLE,
    rhythm=Rhythm(arrivals=(8, 7, 6.5, 6.5, 7, 3.5, 2.5), opens=0, closes=24, quiet_weeks_ago=4),
    boards=(OPS,),
    scripted=(
        *(
            Scripted(case=case, title=f"Power cut, line {number}", visits=(("new", 3), ("assigned", 2)))
            for number, case in enumerate(OUTAGE, start=1)
        ),
        Scripted(case="field-1", title="Router in Kochi restarts", visits=(("new", 9), ("assigned", 8))),
        Scripted(case="wrong-1", title="Nobody can print", visits=(("new", 6), ("assigned", 5))),
    ),
    changes=(
        Change(what="late move", by="tom@nightdesk.example", cases=("field-1",), to="resolved", days_ago=6),
        Change(what="move", by="meera@nightdesk.example", cases=OUTAGE, to="resolved"),
        Change(what="discard", by="tom@nightdesk.example", cases=("wrong-1",), words="Thought to be a test."),
        Change(what="restore", by="meera@nightdesk.example", cases=("wrong-1",)),
        Change(what="assign", by="meera@nightdesk.example", cases=("wrong-1",), to="farah@nightdesk.example"),
    ),
    redefinition=Redefinition(
        project="OPS",
        by="ravi@nightdesk.example",
        states=(
            StateSpec(name="New", slug="new", category=StateCategory.TODO),
            StateSpec(
                name="Waiting for caller", slug="waiting-for-customer", category=StateCategory.IN_PROGRESS, waiting=True
            ),
            StateSpec(name="Assigned", slug="assigned", category=StateCategory.IN_PROGRESS),
            StateSpec(name="Resolved", slug="resolved", category=StateCategory.DONE),
            StateSpec(name="Closed", slug="closed", category=StateCategory.DONE),
        ),
    ),
)
