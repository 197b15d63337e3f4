"""What may become of an answer that was held as a draft."""

from enum import StrEnum

from pal_server.errors import Invalid


class Choice(StrEnum):
    SEND = "send"  # as it is
    REVISE = "revise"  # its agent is told what was said since, and answers anew
    DROP = "drop"  # nobody reads it

    @property
    def done(self) -> str:
        """The draft's status once this was chosen."""
        return {"send": "sent", "revise": "revised", "drop": "dropped"}[self]


def parse_choice(choice: str) -> Choice:
    try:
        return Choice(choice)
    except ValueError:
        raise Invalid(f"choice is one of {', '.join(Choice)}", field="choice", value=choice[:64]) from None
