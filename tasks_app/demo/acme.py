"""Acme Software: a team that works from Monday to Friday, sends work back from review, and reopens some of it."""

from tasks_app.demo.story import STAYS, Board, Change, Person, Redefinition, Rhythm, Scripted, Step, Story
from tasks_app.models import Kind, Role, StateCategory
from tasks_app.operations.projects import StateSpec

TODO, IN_PROGRESS, DONE, CANCELLED = (
    StateCategory.TODO,
    StateCategory.IN_PROGRESS,
    StateCategory.DONE,
    StateCategory.CANCELLED,
)

PEOPLE = (
    Person(email="ada@acme.example", name="Ada Lind", role=Role.OWNER),
    Person(email="mira@acme.example", name="Mira Berg", role=Role.MANAGER),
    Person(email="noor@acme.example", name="Noor Haddad", role=Role.MEMBER, works=True),
    Person(email="elif@acme.example", name="Elif Kaya", role=Role.MEMBER, works=True),
    Person(email="jonas@acme.example", name="Jonas Ek", role=Role.MEMBER, works=True),
    Person(email="audrey@acme.example", name="Audrey Nyman", role=Role.AUDITOR),
)

WEB = Board(
    key="WEB",
    name="Web shop",
    share=0.8,
    states=(
        StateSpec(name="Backlog", category=TODO),
        StateSpec(name="To do", category=TODO),
        StateSpec(name="In progress", category=IN_PROGRESS),
        StateSpec(name="Review", category=IN_PROGRESS, waiting=True, needs_validation=True),
        StateSpec(name="Done", category=DONE),
        StateSpec(name="Cancelled", category=CANCELLED),
    ),
    ways={
        "backlog": (
            Step(to="to-do", share=86, hours=(1, 28)),
            Step(to="cancelled", share=7, hours=(8, 60)),
            Step(to="", kind=Kind.DISCARDED, share=4, hours=(1, 30)),
            Step(to="in-progress", share=3, hours=(0.5, 8)),
        ),
        "to-do": (
            Step(to="in-progress", share=94, hours=(1, 18)),
            Step(to="backlog", share=3, hours=(8, 40)),
            Step(to="cancelled", share=3, hours=(4, 80)),
        ),
        "in-progress": (
            Step(to="review", share=87, hours=(2, 24)),
            Step(to="to-do", share=6, hours=(4, 30)),
            Step(to="queue", kind=Kind.TRANSFERRED, project="PLAT", share=4, hours=(2, 24)),
            Step(to="cancelled", share=3, hours=(4, 60)),
        ),
        "review": (
            # Who may approve has little time for it: this is where items wait.
            Step(to="done", share=80, hours=(16, 90), approved=True),
            Step(to="in-progress", share=20, hours=(4, 36)),
        ),
        "done": (Step(to=STAYS, share=91), Step(to="in-progress", share=9, hours=(4, 80))),
    },
    titles=(
        ("Show", "Speed up", "Repair", "Redesign", "Translate", "Test", "Simplify", "Log errors of"),
        (
            "the basket",
            "the checkout",
            "the product page",
            "the search",
            "the order mail",
            "the sign-in",
            "the price filter",
            "the wish list",
            "the returns form",
            "the delivery dates",
        ),
    ),
)

PLAT = Board(
    key="PLAT",
    name="Platform",
    share=0.2,
    states=(
        StateSpec(name="Queue", category=TODO),
        StateSpec(name="Doing", category=IN_PROGRESS),
        StateSpec(name="Done", category=DONE),
    ),
    ways={
        "queue": (Step(to="doing", share=95, hours=(4, 120)), Step(to="", kind=Kind.DISCARDED, share=5, hours=(8, 80))),
        "doing": (Step(to="done", share=92, hours=(3, 60)), Step(to="queue", share=8, hours=(2, 20))),
        "done": (Step(to=STAYS, share=95), Step(to="doing", share=5, hours=(8, 80))),
    },
    titles=(
        ("Upgrade", "Move", "Back up", "Watch", "Document"),
        ("the database", "the build servers", "the certificates", "the mail relay", "the staging system"),
    ),
)

RELEASE = tuple(f"release-{number}" for number in range(1, 9))

STORY = Story(
    slug="acme",
    name="Acme Software",
    timezone="Europe/Stockholm",
    days=182,
    people=PEOPLE,
    rhythm=Rhythm(arrivals=(3.6, 3, 2.6, 2.4, 1.6, 0, 0), opens=8, closes=17, quiet_weeks_ago=9),
    boards=(WEB, PLAT),
    scripted=(
        *(
            Scripted(
                case=case,
                title=f"Summer release, part {number}",
                visits=(("backlog", 24), ("to-do", 17), ("in-progress", 11 - number % 4), ("review", 4)),
            )
            for number, case in enumerate(RELEASE, start=1)
        ),
        Scripted(
            case="late-1",
            title="The payment provider answers too late",
            visits=(("to-do", 14), ("in-progress", 11)),
        ),
        Scripted(case="twice-1", title="The basket forgets items", visits=(("backlog", 9),)),
        Scripted(case="moved-1", title="Nightly back-up is slow", visits=(("backlog", 8), ("to-do", 6))),
        Scripted(
            case="again-1",
            title="Prices are rounded twice",
            visits=(("backlog", 20), ("in-progress", 16), ("review", 15), ("done", 13)),
        ),
    ),
    changes=(
        Change(what="late move", by="jonas@acme.example", cases=("late-1",), to="review", days_ago=5),
        Change(what="late move", by="mira@acme.example", cases=("late-1",), to="done", days_ago=3),
        Change(what="move", by="noor@acme.example", cases=("again-1",), to="in-progress"),
        Change(what="assign", by="mira@acme.example", cases=("again-1",), to="elif@acme.example"),
        Change(what="rename", by="elif@acme.example", cases=("again-1",), to="Prices with VAT are rounded twice"),
        Change(what="validate", by="mira@acme.example", cases=RELEASE, words="Seen on the staging system."),
        Change(what="move", by="mira@acme.example", cases=RELEASE, to="done"),
        Change(what="discard", by="mira@acme.example", cases=("twice-1",), words="The same as an older report."),
        Change(what="transfer", by="mira@acme.example", cases=("moved-1",), to="PLAT"),
    ),
    redefinition=Redefinition(
        project="WEB",
        by="ada@acme.example",
        states=(
            StateSpec(name="Backlog", slug="backlog", category=TODO),
            StateSpec(name="To do", slug="to-do", category=TODO),
            StateSpec(name="In progress", slug="in-progress", category=IN_PROGRESS),
            StateSpec(name="Code review", slug="review", category=IN_PROGRESS, waiting=True, needs_validation=True),
            StateSpec(name="Ready for release", category=IN_PROGRESS, waiting=True),
            StateSpec(name="Done", slug="done", category=DONE),
            StateSpec(name="Cancelled", slug="cancelled", category=CANCELLED),
        ),
    ),
)
