"""`rig discover`: what is on the lines of this computer, and the lines of a bench file that it makes.

Not responsible for asking (`rig.bench.discover`).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel
from rich.console import Console

from rig.bench.discover import LineFinding, Recognised, known_devices, look_at_line
from rig.bench.drivers import driver_module
from rig.bench.file import BenchFile
from rig.bench.lease import lease_folder, port_keys
from rig.bench.ports import LineHere, lines_here
from rig.bench.served import served_by
from rig.cli.new_files import asked_file
from rig.cli.printing import print_table, say
from rig.cli.served_file import resource_of
from rig.clock import WallClock
from rig.roles.recognition import LineSettings

EXIT_NOTHING = 3
_TOLD = ("driver", "address", "port", "serial_number", "options")


@dataclass(frozen=True)
class DiscoverAsked:
    """Where is to be looked, and what is to be written.

    Attributes:
        addresses: the lines; none of them stands for every line that this computer has.
        write: the new file for the lines of a bench file; None writes none.
        visa_library: as in a bench file.
    """

    addresses: Sequence[str] = ()
    write: Path | None = None
    visa_library: str = "@py"


def discover(asked: DiscoverAsked, *, console: Console) -> int:
    """Look at every line, print what is there and the lines of a bench file; 0, or 3 where nothing was recognised.

    Raises:
        BenchFileError: there is no such VISA library, or the file is there already.
        EvidenceError: the file cannot be written.
    """
    known, problems = known_devices()
    here = [LineHere(each, "") for each in asked.addresses] or lines_here(asked.visa_library)
    if not here:
        say(console, "There is no serial port here, and VISA lists nothing; name a line by --try ADDRESS.")
        return EXIT_NOTHING
    findings = []
    for each in here:
        say(console, f"{each.address} …", "dim")
        findings.append(look_at_line(each.address, known, clock=WallClock(), visa_library=asked.visa_library))
    rows = [(each.address, line.what, each.said) for each, line in zip(findings, here, strict=True)]
    print_table(console, ("line", "by the system", "what is there"), rows, title="What is plugged in", fold=True)
    for problem in problems:
        say(console, problem, "yellow")
    text = bench_lines(findings)
    if not text:
        say(console, "Nothing was recognised.")
        return EXIT_NOTHING
    if asked.write is not None:
        with asked_file("--write", asked.write) as file:
            file.write(text)
        say(console, f"Lines for a bench file: {asked.write}")
    else:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    return 0


def bench_lines(findings: Sequence[LineFinding]) -> str:
    """Write the tables of a bench file for what was recognised; the second device of a role as a comment."""
    seen: set[str] = set()
    parts = []
    for finding in findings:
        for number, each in enumerate(finding.recognised):
            text = _table(finding.address, each)
            again = each.role in seen
            seen.add(each.role)
            if again:
                why = "or, by the same words" if number else f"another {each.role}"
                text = "".join(f"# {line}\n" for line in (f"{why}:", *text.splitlines()))
            parts.append(text)
    return "\n".join(parts)


def _table(address: str, found: Recognised) -> str:
    key = "port" if found.role == "pump" else "address"
    table: dict[str, Any] = {
        "driver": found.driver,
        key: address if "::" in address and found.role != "pump" else resource_of(found.role, address),
        "serial_number": found.identity.serial_number,
    }
    if options := _options(found.role, found.driver, found.settings):
        table["options"] = options
    who = f"# {found.identity.maker} {found.identity.model}, firmware {found.identity.firmware or 'not told'}\n"
    holder = served_by(lease_folder(), port_keys(address))
    if holder is not None:
        who += f"# SIMULATED by {holder}: take the file of its --write, which says so\n"
    needed = "".join(f"# {name} = …\n" for name in needed_of(found.role))
    return who + tomli_w.dumps({found.role: table}) + needed


def needed_of(role: str) -> list[str]:
    """List the keys that a table of a bench file needs and no instrument tells, such as when it was calibrated."""
    annotation = BenchFile.model_fields[role].annotation
    models = [annotation, *getattr(annotation, "__args__", ())]
    model = next(each for each in models if isinstance(each, type) and issubclass(each, BaseModel))
    return [name for name, each in model.model_fields.items() if each.is_required() and name not in _TOLD]


def _options(role: str, driver: str, settings: LineSettings | None) -> dict[str, Any]:
    """Say how the line is set where the driver would take it otherwise."""
    if settings is None:
        return {}
    takes = inspect.signature(driver_module(role, driver).open_driver).parameters
    wanted = {"baud": settings.baud, "framing": settings.framing}
    return {name: value for name, value in wanted.items() if name in takes and takes[name].default != value}
