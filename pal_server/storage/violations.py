"""Names of constraints become domain errors.

Both engines say a unique rule as `"table(column, column)"`, so one map serves both.
"""

from collections.abc import Callable, Mapping

from pal_server.errors import AlreadyExists, Conflict, PalError

Errors = Mapping[str, Callable[[], PalError]]  # "rooms(workspace_id, name)" or the name of a CHECK → the error to raise


def unique_violation(errors: Errors, *, table: str, columns: list[str]) -> PalError:
    rule = f"{table}({', '.join(columns)})"
    if rule in errors:
        return errors[rule]()
    return AlreadyExists(f"There is already one with the same {' and '.join(columns)}.", table=table, columns=columns)


def check_violation(errors: Errors, *, name: str) -> PalError:
    if name in errors:
        return errors[name]()
    return Conflict("The change breaks a rule of the stored data.", rule=name)


def reference_violation(errors: Errors, *, name: str) -> PalError:
    if name in errors:
        return errors[name]()
    return Conflict("The change refers to something that is not there, or removes something still in use.", rule=name)
