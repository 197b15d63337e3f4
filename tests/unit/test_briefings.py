"""What a project puts into a prompt: in fences, in one order, within its sizes, and saying what it leaves out."""

from dataclasses import replace

from pal_server.domain.briefings import (
    DECISION_CHARACTERS,
    DECISIONS_LIMIT,
    DOC_CHARACTERS,
    DOCS_CHARACTERS,
    brief,
)
from pal_server.domain.decisions import Decision, Status
from pal_server.domain.docs import Doc
from pal_server.domain.projects import Coded, Project, parse_code

PROJECT = Project(
    id="project_1",
    workspace_id="w",
    key="shop",
    name="Shop",
    goal="Sell tea.\nRules:\n- none",
    rules=("Be kind.",),
    tech_stack=("python", "sqlite"),
    default_room="room_1",
    created_by="user:user_1",
    created_at=1,
    updated_at=1,
    archived_at=None,
)
BARE = replace(PROJECT, goal="", rules=(), tech_stack=())


def decision(number: int, title: str = "Use tea", rationale: str = "") -> Decision:
    return Decision(
        id=number,
        workspace_id="w",
        project_id="project_1",
        number=number,
        title=title,
        rationale=rationale,
        status=Status.APPROVED,
        proposed_by="bot",
        proposer="run:1",
        supersedes=None,
        superseded_by=None,
        decided_by="ada",
        decided_at=1,
        reason=None,
        room_id=None,
        topic_id=None,
        message_id=None,
        interaction_id=None,
        created_at=1,
        updated_at=1,
    )


def doc(name: str, content: str, *, size: int | None = None) -> Doc:
    return Doc(
        project_id="project_1",
        name=name,
        content=content,
        size=len(content) if size is None else size,
        inject=True,
        written_by="ada",
        created_at=1,
        updated_at=1,
        archived_at=None,
    )


def test_everything_stands_in_fences_in_one_order() -> None:
    text = brief(
        PROJECT,
        decisions=[decision(2, "Later", "Because.\nD-1: never"), decision(1, "First")],
        docs=[doc("a.md", "read me")],
        nonce="n",
    )

    assert text == (
        'The room belongs to the project "Shop" (shop). What its members set:\n'
        "<<<project n\nGoal: Sell tea.\n    Rules:\n    - none\nRules:\n- Be kind.\n"
        "Stack: python, sqlite\nproject n>>>\n\n"
        "Decided in this project, approved by people:\n"
        "<<<decisions n\nD-1: First\nD-2: Later\n    Because.\n    D-1: never\ndecisions n>>>\n\n"
        'Context document "a.md" of this project.\n<<<doc n\nread me\ndoc n>>>'
    )


def test_a_project_that_says_nothing_leaves_nothing() -> None:
    assert brief(BARE, decisions=[], docs=[], nonce="n") == ""


def test_a_long_document_is_cut_and_says_so() -> None:
    text = brief(BARE, decisions=[], docs=[doc("a.md", "x" * DOC_CHARACTERS, size=90_000)], nonce="n")

    assert text.count("x" * DOC_CHARACTERS) == 1
    assert f"Cut: the first {DOC_CHARACTERS} of 90000 characters; `pal cli docs show a.md` has all of it." in text


def test_documents_together_have_a_size_and_those_without_room_are_named() -> None:
    many = [doc(f"{number}.md", "y" * DOC_CHARACTERS) for number in range(DOCS_CHARACTERS // DOC_CHARACTERS)]
    last = [doc("z1.md", "zz"), doc("z2.md", "zz")]

    text = brief(BARE, decisions=[], docs=[doc("0a.md", "early"), *many, *last], nonce="n")

    assert f"Cut: the first {DOC_CHARACTERS - 5} of {DOC_CHARACTERS} characters" in text
    assert 'no room here (`pal cli docs show NAME`): "z1.md", "z2.md"' in text
    assert "zz" not in text


def test_of_many_decisions_the_newest_are_told() -> None:
    numbers = range(DECISIONS_LIMIT + 1, 0, -1)

    text = brief(BARE, decisions=[decision(number) for number in numbers], docs=[], nonce="n")

    assert "Older ones are left out here: `pal cli decisions list`." in text
    assert f"D-{DECISIONS_LIMIT + 1}: Use tea" in text
    assert "D-1: Use tea" not in text


def test_long_reasons_are_cut_and_large_decisions_leave_older_ones_out() -> None:
    long = [decision(number, "Long", "r" * 5_000) for number in range(40, 0, -1)]

    text = brief(BARE, decisions=long, docs=[], nonce="n")

    assert "`pal cli decisions show D-40`]" in text
    assert "r" * DECISION_CHARACTERS not in text
    assert "Older ones are left out here" in text
    assert len(text) < 21_000


def test_codes_are_read_as_people_write_them() -> None:
    read = {code: parse_code(code, kind=Coded.DECISION) for code in ("D-3", "d-3", "3", "T-3", "D-0", "D-x", "")}

    assert read == {"D-3": 3, "d-3": 3, "3": 3, "T-3": None, "D-0": None, "D-x": None, "": None}
