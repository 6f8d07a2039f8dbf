"""`bluejeans-auth completion`: shell completion scripts, made from the parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import NamedTuple

from .arguments import make_parser


class Word(NamedTuple):
    """A word of the command line.

    takes: the value that follows it: "" for none, "file", "text", or the choices, separated by spaces.
    """

    text: str
    help: str
    takes: str = ""

    @property
    def is_option(self) -> bool:
        return self.text.startswith("-")


def run(arguments: argparse.Namespace) -> int:
    """Print the completion script of a shell."""
    print({"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell](), end="")
    return 0


def words_by_command() -> dict[Word, list[Word]]:
    """Return the commands, with the words that may follow each."""
    parser = make_parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in commands._choices_actions}
    return {Word(name, helps[name]): list(_words(of)) for name, of in commands.choices.items()}


def _words(parser: argparse.ArgumentParser) -> Iterator[Word]:
    for action in parser._actions:
        help = (action.help or "") % {"default": action.default}
        choices = [str(choice) for choice in action.choices or ()]
        takes = "" if action.nargs == 0 else " ".join(choices) or ("file" if action.metavar == "FILE" else "text")
        yield from (Word(option, help, takes) for option in action.option_strings if option.startswith("--"))
        if not action.option_strings:
            yield from (Word(choice, help) for choice in choices)


def bash() -> str:
    """Return the script for bash."""
    words, values = [], {}
    for command, following in words_by_command().items():
        words.append(f"{command.text}) words='{' '.join(word.text for word in following)}' ;;")
        values.update({word.text: word.takes for word in following if word.takes})
    replies = [f"{option}) COMPREPLY=($(compgen {_bash_takes(takes)})) ;;" for option, takes in values.items()]
    return f"""\
_bluejeans_auth() {{
    local words='{" ".join(command.text for command in words_by_command())}' current="${{COMP_WORDS[COMP_CWORD]}}" i
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${{COMP_WORDS[i]}} == -- ]]; then
            COMPREPLY=($(compgen -c -- "$current"))
            return
        fi
    done
    ((COMP_CWORD > 1)) && case "${{COMP_WORDS[1]}}" in
        {_lines(words, 8)}
    esac
    case "${{COMP_WORDS[COMP_CWORD - 1]}}" in
        {_lines(replies, 8)}
        *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    esac
}}
complete -F _bluejeans_auth bluejeans-auth
"""


def _bash_takes(takes: str) -> str:
    choices = {"file": "-f", "text": "-W ''"}.get(takes, f"-W '{takes}'")
    return f'{choices} -- "$current"'


def zsh() -> str:
    """Return the script for zsh, which shows the help of each word."""
    commands, cases = [], []
    for command, following in words_by_command().items():
        commands.append(_quoted(f"{command.text}:{command.help}"))
        specs = [_quoted(_zsh_option(word)) for word in following if word.is_option]
        if choices := " ".join(word.text for word in following if not word.is_option):
            specs.append(f"'1:{command.text}:({choices})'")
        if command.text == "exec":
            specs.append("'*::command:_normal'")
        cases.append(f"{command.text}) _arguments -S {' '.join(specs)} ;;")
    return f"""\
#compdef bluejeans-auth
_bluejeans_auth() {{
    local -a commands=(
        {_lines(commands, 8)}
    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
        {_lines(cases, 8)}
    esac
}}
compdef _bluejeans_auth bluejeans-auth
"""


def _zsh_option(word: Word) -> str:
    help = re.sub(r"([\[\]:\\])", r"\\\1", word.help)
    after = {"": "", "file": ":file:_files", "text": ":text: "}.get(word.takes, f":choice:({word.takes})")
    return f"{word.text}[{help}]{after}"


def fish() -> str:
    """Return the script for fish, which shows the help of each word."""
    lines = ["complete -c bluejeans-auth -f"]
    for command, following in words_by_command().items():
        help = _quoted(command.help, fish=True)
        lines.append(f"complete -c bluejeans-auth -n __fish_use_subcommand -a {command.text} -d {help}")
        for word in following:
            option = f"-l {word.text[2:]}" if word.is_option else f"-a {word.text}"
            takes = {"": "", "file": " -r -F", "text": " -x"}.get(word.takes, f" -x -a '{word.takes}'")
            after = f"-n '__fish_seen_subcommand_from {command.text}'"
            lines.append(f"complete -c bluejeans-auth {after} {option}{takes} -d {_quoted(word.help, fish=True)}")
    return _lines(lines) + "\n"


def _quoted(text: str, fish: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'") if fish else text.replace("'", "'\\''")
    return f"'{escaped}'"


def _lines(lines: list[str], indent: int = 0) -> str:
    return f"\n{' ' * indent}".join(lines)
