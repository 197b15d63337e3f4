"""Commands parsed with argparse, one at a time: of a whole group only the command that was asked for is loaded.

A group is a table of command words, where each is found and what it does; help for the group is made from the table
alone. This is what keeps `pal cli send` an order of magnitude below what loading every command would cost.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from pal_server.client.terminal.exits import DONE, USAGE


class Command:
    """One command: its sentence, its examples, how its flags are declared and what runs."""

    __slots__ = ("about", "arguments", "examples", "run")

    def __init__(
        self,
        *,
        about: str,
        examples: Sequence[str],
        arguments: Callable[[argparse.ArgumentParser], None],
        run: Callable[[argparse.Namespace], int | None],
    ) -> None:
        self.about = about
        self.examples = examples
        self.arguments = arguments
        self.run = run


class Group:
    """Commands under one name. `entries` maps words ("rooms list") to ("module:NAME", one line of help)."""

    def __init__(self, *, name: str, about: str, entries: Mapping[str, tuple[str, str]], epilog: str = "") -> None:
        self.name = name
        self.about = about
        self.entries = entries
        self.epilog = epilog

    def run(self, argv: Sequence[str]) -> int:
        """Find the command, parse its flags, run it; its exit code. Help is asked for with -h, --help or help."""
        words = _leading_words(argv)
        for count in range(min(len(words), 3), 0, -1):
            name = " ".join(words[:count])
            if name in self.entries:
                return self._run_command(name, argv[count:])
        if not argv or argv[0] in ("-h", "--help", "help"):
            (sys.stdout if argv else sys.stderr).write(self.help())
            return DONE if argv else USAGE
        return self._run_group(words, argv)

    def command(self, name: str) -> Command:
        """The command of that name, loaded now."""
        module, _, attribute = self.entries[name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, Command)
        return command

    def parser(self, name: str) -> argparse.ArgumentParser:
        """The parser of one command."""
        command = self.command(name)
        parser = _Parser(
            prog=f"{self.name} {name}",
            description=command.about,
            epilog="examples:\n" + "\n".join(f"  {line}" for line in command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.arguments(parser)
        return parser

    def help(self, under: str = "") -> str:
        """What the group, or the part of it under one word, can do."""
        shown = {name: line for name, (_, line) in self.entries.items() if not under or name.startswith(under + " ")}
        width = max(len(name) for name in shown)
        lines = [f"usage: {self.name} {under + ' ' if under else ''}COMMAND …", ""]
        if not under:
            lines += [self.about, ""]
        lines += [f"  {name:{width}}  {line}" for name, line in shown.items()]
        lines += ["", f"`{self.name} COMMAND --help` tells the flags of one, with examples."]
        if self.epilog and not under:
            lines += ["", self.epilog]
        return "\n".join(lines) + "\n"

    def _run_command(self, name: str, argv: Sequence[str]) -> int:
        namespace = self.parser(name).parse_args(argv)
        return self.command(name).run(namespace) or DONE

    def _run_group(self, words: Sequence[str], argv: Sequence[str]) -> int:
        if words and any(name.startswith(words[0] + " ") for name in self.entries):
            asked = argv[1:2] and argv[1] in ("-h", "--help", "help")
            (sys.stdout if asked else sys.stderr).write(self.help(words[0]))
            return DONE if asked else USAGE
        from difflib import get_close_matches

        near = get_close_matches(" ".join(words[:2]) or argv[0], self.entries, n=1)
        near = near or get_close_matches(argv[0], self.entries, n=1)
        hint = f"Did you mean `{self.name} {near[0]}`? " if near else ""
        sys.stderr.write(f"{self.name}: there is no command {argv[0]!r}. {hint}`{self.name} --help` lists them all\n")
        return USAGE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Wrong usage: what is wrong and where help is, without the whole usage in between."""
        if message.startswith("unrecognized arguments"):
            message += ". Text of several words goes in quotes; text that starts with a dash goes after --"
        sys.stderr.write(f"{self.prog}: {message}. `{self.prog} --help` tells the flags\n")
        raise SystemExit(USAGE)


def positive(text: str) -> int:
    """A whole number above zero, for flags like --limit."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def whole(text: str) -> int:
    """A whole number of zero or more: ids and positions."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _leading_words(argv: Sequence[str]) -> list[str]:
    words: list[str] = []
    for word in argv:
        if word.startswith("-"):
            break
        words.append(word)
    return words
