"""The rig from its wheel in an environment of its own, in an empty folder, with a device maker's package beside it."""

import json
import re
import sys
import time  # noqa: TID251 - how long the command line looks, on the wall
from pathlib import Path

import pytest

from rig.cli.packages import PACKAGES, owners
from rig.shipped import ROOT
from suites.stands.fresh_environment import Environment, build_wheels, make_environment
from suites.stands.makers_package import write_bench, write_package


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    return build_wheels(folder, [ROOT, write_package(folder / "acme")])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Environment:
    return make_environment(tmp_path_factory.mktemp("installed"), wheels)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bench(tmp_path_factory.mktemp("acme") / "acme.toml")


def results(run: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((run / "record" / "results.json").read_text(encoding="utf-8"))
    return content


def test_the_rig_comes_from_the_wheel_and_says_which_it_is(installed: Environment) -> None:
    lines = "".join(f"import {each}; print({each}.__file__)\n" for each in PACKAGES)
    places = installed.call("python", "-", stdin=lines).stdout.split()
    assert [Path(each) for each in places] == [installed.packages / each / "__init__.py" for each in PACKAGES]
    said = installed.call("rig", "--version")
    assert (said.returncode, said.stderr) == (0, "")
    assert re.fullmatch(rf"rig \d+\.\d+\.\d+, Python {re.escape(sys.version.split()[0])}\n", said.stdout)


def test_an_empty_folder_is_enough_to_verify(installed: Environment, tmp_path: Path) -> None:
    done = installed.call("rig", "verify", "--select", "stopped", at=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert results(run)["verdict"] == "PASS"
    assert "report.html" in done.stdout
    assert "report.pdf" in done.stdout
    assert next(run.glob("reports/*/report.pdf")).read_bytes().startswith(b"%PDF")
    manifest = json.loads((run / "record" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["bench_file"] == str(installed.packages / "fixtures/benches/virtual.toml")
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}


def test_the_other_commands_need_no_file_either(installed: Environment, tmp_path: Path) -> None:
    checked = installed.call("rig", "check", at=tmp_path)
    assert (checked.returncode, "The bench is fit for use." in checked.stdout) == (0, True), checked.stderr
    asked = installed.call("rig", "console", stdin="identify\n", at=tmp_path)
    assert (asked.returncode, "RC1-000001" in asked.stdout) == (0, True), asked.stderr
    tested = installed.call("rig", "balance-test", "--mass", "10 g", "--mass-u", "8 µg", at=tmp_path)
    assert (tested.returncode, "fit for use" in tested.stdout) == (0, True), tested.stderr
    assert [path.name.endswith("-balance-test.json") for path in (tmp_path / "runs").iterdir()] == [True]
    listed = installed.call("rig", "verify", "--list", "--plan", "smoke", "--select", "bolus", at=tmp_path)
    assert (listed.returncode, "Measured by the plan 'smoke'" in listed.stdout) == (0, True), listed.stderr
    wrong = installed.call("rig", "verify", "--plan", "nothing", at=tmp_path)
    assert (wrong.returncode, "known are conditions, default, " in wrong.stderr) == (2, True)
    relative = installed.call("rig", "check", "--bench", "fixtures/benches/virtual.toml", at=tmp_path)
    assert relative.returncode == 2
    assert relative.stderr == "rig: fixtures/benches/virtual.toml: cannot be read (No such file or directory)\n"


def test_pytest_runs_the_suites_by_the_name_of_their_package(installed: Environment, tmp_path: Path) -> None:
    done = installed.call("python", "-m", "pytest", "--pyargs", "suites.pump", "-k", "stopped", "-q", at=tmp_path)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
    assert "warning" not in done.stdout
    (run,) = (tmp_path / "runs").iterdir()
    assert results(run)["verdict"] == "PASS"


def test_a_makers_devices_are_verified_on_his_bench_file(installed: Environment, acme: Path, tmp_path: Path) -> None:
    plan = tmp_path / "short.toml"
    plan.write_text('name = "short"\npurpose = "One quick look."\nselect = "stopped"\n', encoding="utf-8")
    done = installed.call("rig", "verify", "--bench", str(acme), "--plan", str(plan), at=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert results(run)["verdict"] == "PASS"
    manifest = json.loads((run / "record" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["bench"]["balance"]["driver"], manifest["bench"]["pump"]["driver"]) == ("acme_scale", "acme_pump")
    packages = json.loads((run / "record" / "inputs" / "packages.json").read_text(encoding="utf-8"))
    assert packages["acme-devices"]["version"] == "2.5"


OPENING = """
import json, sys
from rig.bench.open import open_bench
from rig.errors import RigError
said = []
for overrides in json.loads(sys.argv[2]):
    try:
        with open_bench(sys.argv[1], overrides) as bench:
            bench.balance.read()
            bench.clock.sleep(120.0)
        said.append("nothing")
    except RigError as error:
        said.append(f"{type(error).__name__}: {error}")
print(json.dumps(said))
"""
SCALE = r"\S*/acme_devices/scale/driver\.py"
TWIN = r"\S*/acme_devices/scale/twin\.py"
SAID = [
    ({}, "nothing"),
    (
        {"balance.options.breaks": "open"},
        rf"DriverError: balance acme_scale: its driver broke off at open_driver\(\) with AttributeError: 'Wire' object "
        rf"has no attribute 'no_such_word'; see line \d+ of {SCALE}",
    ),
    (
        {"balance.options.breaks": "identify"},
        rf"DriverError: balance acme_scale: its driver broke off at identify\(\) with KeyError: 'who'; "
        rf"see line \d+ of {SCALE}",
    ),
    (
        {"balance.options.breaks": "read"},
        rf"DriverError: balance acme_scale: its driver broke off at read\(\) with ZeroDivisionError: division by zero; "
        rf"see line \d+ of {SCALE}",
    ),
    (
        {"balance.options.breaks": "close"},
        rf"DriverError: balance acme_scale: its driver broke off at close\(\) with OSError: the lid is stuck; "
        rf"see line \d+ of {SCALE}",
    ),
    (
        {"balance.serial_number": "breaks"},
        rf"DriverError: balance acme_scale: its twin broke off at open_twin\(\) with IndexError: no such pan; "
        rf"see line \d+ of {TWIN}",
    ),
    (
        {"virtual.serial_numbers.balance": "breaks later", "balance.serial_number": "breaks later"},
        rf"DriverError: balance acme_scale: its twin broke off at <lambda>\(\) with AttributeError: 'NoneType' object "
        rf"has no attribute 'mass'; see line \d+ of {TWIN}",
    ),
    (
        {"balance.driver": "acme_pump"},
        r"BenchFileError: balance\.driver is 'acme_pump': that is a driver of a pump, not of a balance",
    ),
    (
        {"balance.driver": "acme_torn"},
        r"BenchFileError: balance\.driver is 'acme_torn': acme_devices\.torn\.driver cannot be imported "
        r"\(ModuleNotFoundError: No module named 'a_library_that_nobody_has'\)",
    ),
    (
        {"balance.driver": "acme_roleless"},
        r"BenchFileError: balance\.driver is 'acme_roleless': acme_devices\.roleless\.driver has no ROLE; such a "
        r"module has ROLE, open_driver",
    ),
    (
        {"balance.driver": "acme_untwinned"},
        r"BenchFileError: balance\.driver is 'acme_untwinned': acme_devices\.untwinned\.twin has no "
        r"BITS_PER_CHARACTER; such a module has BAUD, BITS_PER_CHARACTER, DATA_BITS, open_twin",
    ),
    (
        {"balance.driver": "acme_scales"},
        r"BenchFileError: balance\.driver is 'acme_scales': there is no such device; known are acme_pump, .*",
    ),
]


def test_whatever_comes_out_of_a_makers_code_is_one_sentence(installed: Environment, acme: Path) -> None:
    asked = json.dumps([overrides for overrides, _ in SAID])
    done = installed.call("python", "-", str(acme), asked, stdin=OPENING)
    assert (done.returncode, done.stderr) == (0, "")
    for said, (overrides, expected) in zip(json.loads(done.stdout), SAID, strict=True):
        assert re.fullmatch(expected, said), (overrides, said)


LEAVING = """
import sys
from rig.bench.open import open_bench
from rig.errors import DriverError
sent = []
class Disk:
    def wire(self, at_s, device, direction, data):
        sent.append(data)
try:
    with open_bench(sys.argv[1], {"pump.options.breaks": True}, log=Disk()):
        sent.clear()
except DriverError as error:
    print(error)
print(b"relay writeall 00\\r" in sent, b"OUTP OFF,(@1)\\n" in sent)
"""


def test_a_pump_whose_driver_breaks_off_still_loses_its_supply(installed: Environment, acme: Path) -> None:
    done = installed.call("python", "-", str(acme), stdin=LEAVING)
    sentence, left_safe = done.stdout.splitlines()
    assert sentence.startswith(
        "pump acme_pump: its driver broke off at <lambda>() with AttributeError: 'float' object has"
    )
    assert left_safe == "True True", done.stderr


@pytest.mark.parametrize("breaks", ["open", "identify", "read", "self_test"])
def test_a_check_names_the_device_whose_code_broke_off(installed: Environment, acme: Path, breaks: str) -> None:
    done = installed.call("rig", "check", "--bench", str(acme), "--set", f"balance.options.breaks={breaks}")
    assert done.returncode == 3, done.stderr
    assert re.search(r"^balance( acme_scale)?: its driver broke off at .* with \w+Error: ", done.stdout, re.MULTILINE)
    assert done.stdout.count("NOT FIT") == 1
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("setting", "outcomes", "code"),
    [
        ("balance.options.breaks=close", ["error"], 3),
        ("virtual.serial_numbers.balance=breaks later", ["error"], 3),
    ],
)
def test_a_run_ends_in_a_rig_error_never_in_a_failure(
    installed: Environment, acme: Path, tmp_path: Path, setting: str, outcomes: list[str], code: int
) -> None:
    settings = (
        ("--set", setting, "--set", "balance.serial_number=breaks later") if "later" in setting else ("--set", setting)
    )
    command = ("verify", "--bench", str(acme), "--select", "stopped or unoccluded", "--out", "run", *settings)
    done = installed.call("rig", *command, at=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    found = json.loads((tmp_path / "run" / "record" / "results.json").read_text(encoding="utf-8"))
    assert [test["outcome"] for test in found["tests"]][:1] == outcomes
    assert "balance acme_scale: its " in found["tests"][0]["message"]
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "breaks"),
    [
        (("console",), "balance.options.breaks=read"),
        (("balance-test", "--mass", "10 g"), "balance.options.breaks=identify"),
        (("serve",), "virtual.serial_numbers.balance=breaks"),
    ],
)
def test_no_command_shows_a_traceback(
    installed: Environment, acme: Path, command: tuple[str, ...], breaks: str
) -> None:
    done = installed.call("rig", *command, "--bench", str(acme), "--set", breaks, stdin="weigh\n")
    assert "balance acme_scale: its " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 3


def test_a_name_that_two_makers_took_is_told_with_both(installed: Environment, acme: Path, tmp_path: Path) -> None:
    other = tmp_path / "bolt_devices-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: bolt-devices\nVersion: 1.0\n", encoding="utf-8")
    (other / "entry_points.txt").write_text("[rig.devices]\nacme_scale = bolt.scale\n", encoding="utf-8")
    done = installed.call("rig", "check", "--bench", str(acme), path=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("rig: balance.driver is 'acme_scale': 2 devices have this name, ")
    assert "acme_devices.scale of acme-devices" in done.stderr
    assert "bolt.scale of bolt-devices" in done.stderr


def test_a_package_of_the_rig_that_lies_elsewhere_is_refused(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "__init__.py").touch()
    done = installed.call("rig", "check", path=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"rig: the package 'fixtures' is found in {tmp_path} and is not the rig's; install ")


def test_a_distribution_that_overwrote_one_is_named(tmp_path: Path, wheels: list[Path]) -> None:
    its_own = tmp_path / "instrumentkit"
    (its_own / "instruments").mkdir(parents=True)
    (its_own / "instruments" / "__init__.py").write_text("STRANGER = True\n", encoding="utf-8")
    (its_own / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "instrumentkit"\nversion = "0.7.0"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["instruments"]\n',
        encoding="utf-8",
    )
    (theirs,) = build_wheels(tmp_path / "built", [its_own])
    ours = next(each for each in wheels if each.name.startswith("insulin"))
    both = make_environment(tmp_path / "both", [ours])
    assert list(owners(both.packages, PACKAGES)) == []
    both.install(theirs)
    done = both.call("rig", "check")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "rig: the distribution instrumentkit 0.7.0 has put files into the rig's package 'instruments'; install the rig "
        "into an environment of its own: pipx install 'insulin-pump-rig[virtual]'\n"
    )


def test_looking_for_other_owners_takes_no_time(installed: Environment) -> None:
    lent = Path((installed.packages / "lent.pth").read_text(encoding="utf-8").splitlines()[0])
    took_s = []
    for _ in range(5):
        begun_s = time.process_time()
        assert list(owners(lent, PACKAGES)) == []
        took_s.append(time.process_time() - begun_s)
    assert min(took_s) < 0.02
