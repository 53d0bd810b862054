"""`rig balance-test`: the routine test of the balance, kept as a file that a bench file can ask for.

A person puts a reference mass on and off, and says what no instrument sees; on the virtual bench the mass is simulated.
Not responsible for the weighing and its limits (`rig.procedures.reference_mass`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rig.analysis.reference_mass import reference_weighing
from rig.bench.declared import metrology
from rig.bench.far_side import far_side
from rig.bench.file import BenchFile, parse_override, read_bench_file
from rig.bench.lease import take_bench, take_identity
from rig.bench.open import compare_identity, open_device, refuse_overdue
from rig.cli.printing import say
from rig.errors import BenchFileError, EvidenceError
from rig.procedures.reference_mass import allowed_error_g, allowed_repeatability_g, problems, weigh_reference
from rig.record.files import new_file, utc_now, write_json
from rig.record.models import Device
from rig.record.routine_test import RoutineTest
from rig.units import parse
from rig.wire import NoLog

SMALLEST_G, LARGEST_G = 0.01, 50_000.0
"""Reference masses that test a balance: above what evaporation does meanwhile, up to what a person lifts."""
QUESTIONS = {
    "level": "Is the balance level (bubble inside the ring)?",
    "needle": "Is the needle below the surface, and free of bubbles?",
    "cover": "Is the oil film or the cover of the vessel whole?",
}


@dataclass(frozen=True)
class RoutineTestAsked:
    """What the command line said."""

    bench: Path
    settings: tuple[str, ...]
    mass: str
    mass_u: str
    count: int
    out: Path | None


def run_balance_test(asked: RoutineTestAsked, *, console: Console) -> int:
    """Test the balance and keep the result; 0 when it is fit, 3 when it is not.

    Raises:
        BenchFileError: the bench file or a quantity is wrong, or nobody is there to handle the mass.
        BlockedError: the balance's calibration is overdue, or the immersion of the outlet cannot be corrected.
        LeaseHeldError: somebody else has the balance.
        DeviceError: the balance cannot be opened, is another one, or does not settle.
        EvidenceError: the file exists already, or cannot be written.
    """
    spec, _ = read_bench_file(asked.bench, dict(parse_override(text) for text in asked.settings))
    mass_g, u_mass_g = _reference(asked)
    begun = utc_now()
    if asked.out is not None and asked.out.exists():
        raise EvidenceError(f"{asked.out}: exists already; name another file by --out, nothing is overwritten")
    if spec.virtual is None and not console.is_interactive:
        raise BenchFileError("rig balance-test: nobody is there to put the mass on; call it from a terminal")
    test = _test(spec, mass_g, u_mass_g, asked.count, console)
    out = asked.out or new_file(Path("runs") / f"{begun.replace(':', '-')}-balance-test.json")
    write_json(out, test.model_dump(mode="json"))
    say(
        console,
        f"{test.balance.model} {test.balance.serial_number}: error {test.error_g * 1e6:+.3g} µg at {mass_g:g} g "
        f"(allowed {test.allowed_error_g * 1e6:.3g} µg), repeatability {test.repeatability_g * 1e6:.3g} µg (allowed "
        f"{test.allowed_repeatability_g * 1e6:.3g} µg), n = {asked.count}",
    )
    for problem in test.problems:
        say(console, f"balance: {problem}", "red")
    say(console, f"The balance is {'fit for use' if test.passed else 'NOT FIT'}. Kept: {out}")
    return 0 if test.passed else 3


def _test(spec: BenchFile, mass_g: float, u_mass_g: float, count: int, console: Console) -> RoutineTest:
    with ExitStack() as stack:
        far = stack.enter_context(far_side(spec))
        refuse_overdue(spec, "balance", far.today)
        known = metrology(spec)
        held = stack.enter_context(take_bench(spec, purpose="rig balance-test", roles=("balance",)))
        balance = open_device(spec, "balance", far, NoLog())
        stack.callback(balance.close)
        take_identity(held, spec, "balance", compare_identity(spec, "balance", balance))
        place = far.hands or _asking(console)
        empty_g, loaded_g = weigh_reference(balance, far.clock, place, mass_g=mass_g, count=count)
        identity = balance.identify()
    answers = {} if spec.virtual is not None else {key: _yes(console, text) for key, text in QUESTIONS.items()}
    found = reference_weighing(empty_g, loaded_g, mass_g=mass_g, u_mass_g=u_mass_g)
    denied = [QUESTIONS[key] for key, yes in answers.items() if not yes]
    wrong = problems(known, found, mass_g)
    wrong += [f"the answer to {question!r} was no; see to it, and begin again" for question in denied]
    return RoutineTest(
        date=far.today,
        tested_utc=utc_now(),
        simulated=spec.simulated,
        operator=spec.operator,
        balance=Device(**asdict(identity)),
        mass_g=mass_g,
        u_mass_g=u_mass_g,
        empty_g=tuple(empty_g),
        loaded_g=tuple(loaded_g),
        **asdict(found),
        allowed_error_g=allowed_error_g(known, found, mass_g),
        allowed_repeatability_g=allowed_repeatability_g(known, found.degrees_of_freedom),
        answers=answers,
        problems=tuple(wrong),
        passed=not wrong,
    )


def _asking(console: Console) -> Callable[[float], None]:
    def place(load_g: float) -> None:
        wanted = f"Put {load_g:g} g beside the vessel, then press Enter. " if load_g else "Take it off, Enter. "
        console.input(Text(wanted))

    return place


def _yes(console: Console, question: str) -> bool:
    return console.input(Text(f"{question} [y/n] ")).strip().lower() in ("y", "yes")


def _reference(asked: RoutineTestAsked) -> tuple[float, float]:
    """Mass of the reference in g and its standard uncertainty; BenchFileError when they cannot test a balance.

    The least uncertain masses of 10 mg are known to 0.03 % (OIML R 111-1, class E2: ±8 µg, a rectangle).
    """
    mass_g, u_mass_g = _grams("--mass", asked.mass), _grams("--mass-u", asked.mass_u)
    if not SMALLEST_G <= mass_g <= LARGEST_G:
        raise BenchFileError(f"--mass is {asked.mass!r}: allowed are {1e3 * SMALLEST_G:g} mg to {LARGEST_G:g} g")
    if not 0.0 <= u_mass_g <= mass_g / 1000.0:  # nan is neither
        raise BenchFileError(
            f"--mass-u is {asked.mass_u!r}: allowed are 0 g to {1e3 * mass_g:g} µg, a thousandth of --mass"
        )
    return mass_g, u_mass_g


def _grams(option: str, text: str) -> float:
    try:
        return parse(text, "mass_g")
    except ValueError as error:
        raise BenchFileError(f"{option}: {error}") from None
