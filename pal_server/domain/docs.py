"""Context documents: texts of a project, given to its runs."""

import re
from dataclasses import dataclass
from typing import Any

from pal_server.errors import Invalid

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
CONTENT_LIMIT = 200_000  # characters; a prompt has less of it
DOCS_LIMIT = 100  # of one project, archived ones too


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """`content` may be cut where only its beginning was asked for; `size` is of the whole, in characters."""

    project_id: str
    name: str
    content: str
    size: int
    inject: bool  # every run of the project is told it
    written_by: str
    created_at: int
    updated_at: int
    archived_at: int | None

    def fact(self) -> dict[str, Any]:
        """The document as lists and the log show it: without its text."""
        return {
            "project": self.project_id,
            "name": self.name,
            "size": self.size,
            "inject": self.inject,
            "written_by": self.written_by,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "archived_at": self.archived_at,
        }


def parse_doc_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Invalid(
            "a document's name has 1 to 100 letters, digits, dots, dashes or underscores and begins with no sign",
            field="name",
        )
    return name


def parse_content(content: str) -> str:
    if not content.strip():
        raise Invalid("content is empty", field="content")
    if len(content) > CONTENT_LIMIT:
        raise Invalid(f"content has more than {CONTENT_LIMIT} characters", field="content", limit=CONTENT_LIMIT)
    return content
