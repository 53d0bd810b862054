"""A bench has one holder: whoever opens devices of it holds a lease on each port, and on each unit once it is known.

A port is known by what it leads to, not by its name: `/dev/ttyUSB0`, its link below `/dev/serial/by-id` and
`ASRL/dev/ttyUSB0::INSTR` are one. A virtual bench lives inside one process and has no lease. Not responsible for
locks (`rig.lease`), nor for what becomes of a bench whose holder dies (`rig.bench.guardian`).
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import socket
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from pyvisa.rname import ASRLInstr, InvalidResourceName, ResourceName, TCPIPInstr, TCPIPSocket

from rig.bench.device_tables import InstrumentTable
from rig.bench.drivers import driver_module
from rig.bench.file import BenchFile
from rig.bench.served import refuse_unsaid
from rig.errors import BlockedError
from rig.lease import Lease, carried, holder_named_in, is_held
from rig.record.files import utc_now
from rig.roles import Identity

FOLDER = "RIG_LEASE_FOLDER"
"""Environment variable that names the machine's folder of leases; containers that share devices must share it."""

_FOLDERS = (Path("/run/lock"), Path("/tmp"))
"""Where everybody may write, in the order of choice; not TMPDIR, which a user or a job may have for itself."""

_ALL_MAY_WRITE = 0o1777
_WRAPPING = ("spy://", "alt://")
"""Schemes of pyserial whose rest is a port of its own."""


class BenchLease:
    """The leases of a bench that is held; leaving it frees them. None for a virtual bench.

    Args:
        purpose: what it is held for, as a refusal says.
    """

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self.leases: list[Lease] = []

    def __enter__(self) -> Self:
        """Hold it until leaving."""
        return self

    def __exit__(self, *ended_by: object) -> None:
        """Free it."""
        self.free()

    def take(self, key: str, of: str, *, shared: bool = False) -> Lease:
        """Take the lease of one more thing.

        Raises:
            LeaseHeldError: somebody else has it.
            BlockedError: its file cannot be made.
        """
        path = lease_folder() / _file_name(key)
        try:
            lease = Lease.take(path, of=of, purpose=self.purpose, since_utc=utc_now(), shared=shared)
        except OSError as error:
            raise BlockedError(
                f"{of}: its lease {path} cannot be taken ({error.strerror}); let every user write there, or name "
                f"another folder for all of them by {FOLDER}"
            ) from error
        self.leases.append(lease)
        return lease

    def keep(self) -> None:
        """Hold it until this process ends: whatever opens the bench in it from now on shares the leases."""
        if self.leases:
            os.environ.update(carried(self.leases)[0])

    def free(self) -> None:
        """Free every lease; may be called again."""
        while self.leases:
            self.leases.pop().free()


def take_bench(spec: BenchFile, *, purpose: str = "", roles: Sequence[str] | None = None) -> BenchLease:
    """Take the leases of a bench's ports before any of them is opened; those that this process carries are shared.

    Args:
        spec: the bench.
        purpose: what for, for the refusal that others get; the program's name when it is empty.
        roles: the devices that are going to be opened; every one that the bench has when it is None.

    Raises:
        LeaseHeldError: somebody else has one of them, with owner, process, purpose and since when; none is kept then.
        BenchFileError: one of them leads to a simulated bench, and the file does not say so.
        BlockedError: a lease's file cannot be made, or nobody serves the bench any more.
    """
    held = BenchLease(purpose or _program())
    if spec.virtual is not None:
        return held
    try:
        opened = spec.roles if roles is None else roles
        keys = {key: role for role in reversed(opened) for key in port_keys(_port(spec, role))}  # each once
        refuse_unsaid(lease_folder(), spec, keys)
        for key, role in sorted(keys.items()):
            held.take(key, f"{role} on {_port(spec, role)}", shared=_may_be_shared(role, key))
    except BaseException:
        held.free()
        raise
    return held


def take_identity(held: BenchLease, spec: BenchFile, role: str, identity: Identity) -> Lease | None:
    """Take the lease of a unit that has told who it is, so that no other port leads to it; None where it is nobody's.

    Units whose number is set by hand, which their driver says, are known by their port alone: many tell the same.

    Raises:
        LeaseHeldError: somebody else has it, by another port.
    """
    if spec.simulated or getattr(driver_module(role, getattr(spec, role).driver), "NUMBERED_BY_HAND", False):
        return None
    words = [" ".join(each.split()).casefold() for each in (identity.maker, identity.model, identity.serial_number)]
    key, of = f"unit {' '.join(words)}", f"{role} {identity.maker} {identity.model} {identity.serial_number}"
    return held.take(key, of, shared=_may_be_shared(role, next(iter(port_keys(_port(spec, role))))))


def take_opening(spec: BenchFile, purpose: str) -> BenchLease:
    """Take the lease of having the bench open, which nobody carries on but the guardian of this one opening.

    So two openings never meet, not even within one run, and a guardian that is still making the bench safe keeps
    everybody out.

    Raises:
        LeaseHeldError: it is open, or is being made safe.
        BlockedError: the lease's file cannot be made.
    """
    held = BenchLease(purpose)
    held.take(_opening_key(spec), f"the bench {spec.name!r}")
    return held


def is_open(spec: BenchFile) -> bool:
    """Say whether a real bench is open somewhere, or is being made safe by a guardian."""
    return is_held(lease_folder() / _file_name(_opening_key(spec)))


def is_open_for(spec: BenchFile, what: str) -> bool:
    """Say whether a real bench is open for a purpose that has `what` in it, or is being made safe after that."""
    path = lease_folder() / _file_name(_opening_key(spec))
    holder = holder_named_in(path)
    return holder is not None and what in holder.purpose and is_held(path)


def _opening_key(spec: BenchFile) -> str:
    return f"open {' '.join(port_keys(spec.pump.port))}"


def lease_folder() -> Path:
    """Choose the machine's folder of leases, and make it; every user may write there.

    Raises:
        BlockedError: it cannot be made.
    """
    named = os.environ.get(FOLDER)
    above = next((each for each in _FOLDERS if os.access(each, os.W_OK)), _FOLDERS[-1])
    folder = Path(named) if named else above / "insulin-pump-rig"
    try:
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            folder.chmod(_ALL_MAY_WRITE)
    except OSError as error:
        raise BlockedError(
            f"the folder of leases {folder} cannot be made ({error.strerror}); name another by {FOLDER}"
        ) from error
    return folder


def port_keys(port: str) -> tuple[str, ...]:
    """Say what a VISA address or a pyserial port leads to, in words that are the same for each of its names."""
    if port.startswith("ble://"):
        transport, _, peer = port.removeprefix("ble://").removesuffix("/P").rpartition("/")
        return (f"radio {transport}", f"radio pump {peer.casefold()}")
    for scheme in _WRAPPING:
        if port.startswith(scheme):
            return port_keys(port.removeprefix(scheme).partition("?")[0])
    if "://" in port:
        parts = urlsplit(port)
        return (_network(parts.hostname or "", str(parts.port)),) if _has_port(parts) else (port,)
    try:
        name = ResourceName.from_string(port)
    except InvalidResourceName:
        return (_terminal(port),)
    if isinstance(name, ASRLInstr):
        return (_terminal(name.board),)
    if isinstance(name, TCPIPSocket | TCPIPInstr):
        place = name.port if isinstance(name, TCPIPSocket) else name.lan_device_name
        return (_network(name.host_address, place),)
    return (str(name).casefold(),)


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.hostname is not None and parts.port is not None
    except ValueError:  # it is no number; opening it will say so
        return False


def _program() -> str:
    """Name the program that runs, also one that is a package's `__main__`."""
    path = Path(sys.argv[0])
    return (path.parent.name if path.name == "__main__.py" else path.name) or "Python"


def _terminal(path: str) -> str:
    """Name a serial line by its device's number, whichever of its names is given; by its path while it is not there."""
    try:
        found = Path(path).stat()
    except OSError:
        return f"port {os.path.realpath(path) if path.startswith('/') else path.casefold()}"
    if stat.S_ISCHR(found.st_mode):
        return f"terminal {os.major(found.st_rdev)} {os.minor(found.st_rdev)}"
    return f"port {os.path.realpath(path)}"


def _network(host: str, port: str) -> str:
    """Name a place on the network by the address of its host."""
    host = host.strip("[]").rstrip(".").casefold()
    try:
        found = [ipaddress.ip_address(host)]
    except ValueError:
        try:
            told = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in told]
        except (OSError, ValueError):
            found = []
    # A host has addresses of both versions, and a bench file names the older one more often.
    addresses = sorted((getattr(each, "ipv4_mapped", None) or each for each in found), key=lambda a: (a.version, a))
    # Without one it cannot be reached by this name now, and will be refused when it is opened.
    address = str(addresses[0]) if addresses else host
    return f"network {'127.0.0.1' if address == '::1' else address} {port.casefold()}"


def _may_be_shared(role: str, key: str) -> bool:
    """Say whether several benches may have it: the air of a room, read over the network, and nothing that moves."""
    return role == "environment" and key.startswith("network ")


def _port(spec: BenchFile, role: str) -> str:
    table = getattr(spec, role)
    return str(table.address if isinstance(table, InstrumentTable) else table.port)


def _file_name(key: str) -> str:
    readable = re.sub(r"[^a-z0-9.]+", "-", key.casefold()).strip("-")[:60]
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.lease"
