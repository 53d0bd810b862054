"""Reading commands from a person or a pipe, and performing them on an open bench.

Not responsible for the commands themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import NestedCompleter
from prompt_toolkit.history import FileHistory
from rich.console import Console

from rig.bench.file import parse_override
from rig.bench.guarded import UnguardedError
from rig.bench.open import open_bench
from rig.cli.console.commands import COMMANDS, Session
from rig.cli.printing import say
from rig.clock import Clock, waiting_for_person
from rig.errors import DeviceError, RigError

PROMPT = "rig> "
HISTORY = Path.home() / ".local" / "state" / "rig" / "console_history"


def run_console(bench: Path, overrides: Sequence[str], *, console: Console) -> int:
    """Perform commands until the end of the input; 1 when a command of a pipe failed, else 0.

    The bench is left safe: the pump stopped, the supply off, every port closed.
    """
    with open_bench(bench, dict(parse_override(text) for text in overrides), purpose="rig console") as open_:
        session = Session(open_, console)
        failed = False
        if sys.stdin.isatty():
            _welcome(session)
            for line in typed(read_lines(prompt_session()), open_.clock):
                perform(session, line)
        else:
            for line in typed(sys.stdin, open_.clock):
                failed = not perform(session, line) or failed
        say(console, "The pump is stopped and the bench left safe.")
    return 1 if failed else 0


def prompt_session(history: Path = HISTORY) -> PromptSession[str]:
    """Make a prompt with completion of every command and a history that outlives it."""
    history.parent.mkdir(parents=True, exist_ok=True)
    completer = NestedCompleter.from_nested_dict(
        {
            **{name: dict.fromkeys(command.choices) or None for name, command in COMMANDS.items()},
            "help": dict.fromkeys(COMMANDS),
            "quit": None,
        }
    )
    return PromptSession(PROMPT, completer=completer, history=FileHistory(str(history)))


def read_lines(prompt: PromptSession[str]) -> Iterator[str]:
    """Read lines until Ctrl-D or `quit`; Ctrl-C drops the line that is being typed."""
    while True:
        try:
            line = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if line.strip() == "quit":
            return
        yield line


def typed(lines: Iterable[str], clock: Clock) -> Iterator[str]:
    """Take line after line; whoever types them may take any time, which is no hang of the console's."""
    coming = iter(lines)
    while True:
        with waiting_for_person(clock):
            line = next(coming, None)
        if line is None:
            return
        yield line


def perform(session: Session, line: str) -> bool:
    """Perform one line; errors are one sentence and the console goes on. Returns whether it was done.

    A driver whose code breaks off ends the console: nobody knows in what state it is. So does a guardian that ended.
    """
    name, _, rest = line.strip().partition(" ")
    if not name or name.startswith("#") or name == "quit":
        return True
    if name == "help":
        return _help(session, rest.strip())
    if name not in COMMANDS:
        session.say(f"{name!r} is not a command: 'help' lists them all")
        return False
    try:
        COMMANDS[name].run(session, rest.strip())
    except KeyboardInterrupt:
        session.say(f"{name}: interrupted")
    except UnguardedError:
        raise
    except (RigError, ValueError) as error:
        hint = (
            ""
            if isinstance(error, DeviceError) or not COMMANDS[name].takes
            else f"; write {name} {COMMANDS[name].takes}"
        )
        session.say(f"{error}{hint}")
    else:
        return True
    return False


def _welcome(session: Session) -> None:
    identity = session.bench.pump.identify()
    session.say(
        f"{identity.maker} {identity.model} {identity.serial_number} is on the bench. 'help' lists the commands."
    )


def _help(session: Session, name: str) -> bool:
    if name and name not in COMMANDS:
        session.say(f"{name!r} is not a command: 'help' lists them all")
        return False
    wanted = [name] if name else list(COMMANDS)
    session.table(("command", "what it does"), [(f"{n} {COMMANDS[n].takes}".strip(), COMMANDS[n].help) for n in wanted])
    return True
