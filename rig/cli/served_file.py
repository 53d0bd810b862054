"""The bench file that leads to a served bench: its tables with the addresses of now, and that it is simulated.

Not responsible for serving (`rig.cli.serve`), nor for what is done with the file.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomli_w

from rig.bench.file import BenchFile
from rig.errors import BenchFileError
from rig.record.files import cannot_write

_HEAD = """\
# Leads to a bench that `rig serve` simulates, at {pace}. SIMULATED — no evidence about any device.
# It goes when `rig serve` ends: its lines may be anybody's then.

"""


def resource_of(role: str, address: str) -> str:
    """Write the address of a served device as a bench file has it: the pump's for pyserial, all others for VISA."""
    if role == "pump":
        if address.startswith("TCPIP"):
            _, host, port, _ = address.split("::")
            return f"socket://{host}:{port}"
        return address
    return f"ASRL{address}::INSTR" if address.startswith("/") else address


def served_bench_file(
    spec: BenchFile, content: Mapping[str, Any], addresses: Mapping[str, str], *, speed: float, lease: Path
) -> str:
    """Write the bench file of a served bench, as TOML.

    Args:
        spec: the virtual bench that is served.
        content: the same as plain data.
        addresses: where each device is, by role.
        speed: how many seconds of the bench pass in one.
        lease: the lock of the process that serves it.
    """
    virtual = spec.virtual
    assert virtual is not None
    unserved = {"virtual", *(role for role in spec.roles if role not in addresses)}  # a played sensor has no line
    served = copy.deepcopy({key: value for key, value in content.items() if key not in unserved})
    for role, address in addresses.items():
        served[role]["port" if role == "pump" else "address"] = resource_of(role, address)
    named = {("pump", "sheet"): spec.pump.sheet, ("balance", "routine_test"): spec.balance.routine_test}
    if spec.probe is not None:
        named["probe", "symbols"] = spec.probe.symbols or virtual.firmware
    for (name, key), path in named.items():
        if path is not None:  # the new file lies in another folder
            served[name][key] = str(path.resolve())
    for key in ("ledger", "key"):  # those of its own benches, which this one is not
        served.pop(key, None)
    table: dict[str, Any] = {"date": virtual.date, "seed": virtual.seed, "speed": speed, "lease": str(lease)}
    pace = "real time" if speed == 1.0 else f"{speed:g} × real time"
    return _HEAD.format(pace=pace) + tomli_w.dumps({**served, "served": table})


def refuse_existing(path: Path | None) -> None:
    """Refuse to write over a file, before anything is made; BenchFileError."""
    if path is not None and os.path.lexists(path):
        raise BenchFileError(
            f"--write {path}: is there already; name a new file, or take it away if its rig serve has ended"
        )


@contextmanager
def offered_file(path: Path, text: str, *, tell: Callable[[str], None]) -> Iterator[None]:
    """Let a new file stand until leaving, whole from the first moment; one that was changed meanwhile is left.

    Raises:
        BenchFileError: it is there already.
        EvidenceError: it cannot be written.
    """
    data = text.encode()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        try:
            partial.write_bytes(data)
            os.link(partial, path)  # fails where it is there, and is whole where it does not
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError:
        refuse_existing(path)
        raise
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_bytes() == data:
                path.unlink()
            else:
                tell(f"{path} was changed meanwhile and is left; its lines are nobody's from now on.")
