"""`KEEP`: the value of a field that a change leaves as it is, where None is a value of its own."""

from enum import Enum
from typing import Final


class Keep(Enum):
    KEEP = "keep"


KEEP: Final = Keep.KEEP
