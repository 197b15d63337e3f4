"""Words in LIKE patterns; the statements say ESCAPE '!'."""


def containing(words: str | None) -> str:
    """What holds these words in any case; everything for none."""
    return f"%{plain(words or '')}%"


def plain(words: str) -> str:
    """Without the meaning a pattern's signs have."""
    return words.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
