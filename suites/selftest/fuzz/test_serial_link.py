"""100,000 damaged frames: no insulin that nobody asked for, no hang, no lost history.

    pytest suites/selftest/fuzz --seed 7 --frames 1000000     another campaign, longer

The balance judges what was delivered, the pump's own log what was programmed, the sent octets what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rig.clock import WallClock
from suites.selftest.conformance.history import Record
from suites.selftest.conformance.pump import Pump
from suites.selftest.fuzz.campaign import Allowed, Campaign
from suites.selftest.fuzz.corpus import FILL, PRIME, RESTART, RUN, STOP
from suites.selftest.fuzz.ledger import BOLUS_DELIVERED, BOLUS_PROGRAMMED, Ledger, LogBook, delivered_u, logged_u
from suites.selftest.fuzz.receiver import Receiver, Taken
from suites.selftest.fuzz.stand import Stand, stand

NOISE_U = 0.01
"""Four times what ten readings of the balance at rest differ by, and more."""
DOSE_U = 0.025
G_PER_U = 0.00997
DRIVE_ERROR = 0.015
"""The drive of this virtual pump was drawn 1.03 % short, and drifts by up to 0.5 %."""
SCREW_U = 0.08
"""Screw errors of up to 0.04 U at either end of what is weighed (rig/virtual/parameters.py, pitch_error_um)."""
LOOKS = 4
"""How often the log is read in a share of a campaign."""
SHARES = range(10)
"""So many pumps share a phase: in a log of many thousand refusals each look-up would be long."""


@pytest.fixture
def pump() -> Iterator[Stand]:
    with stand() as it:
        yield it
        it.check_alive()


def judged(pump: Stand, note: Callable[[Taken], None], *forbidden: str) -> Allowed:
    """Let a right receiver hear all that is sent, and keep out only what it would obey of the forbidden."""
    receiver, words = Receiver(), [bytes.fromhex(word) for word in forbidden]

    def hear(octets: bytes) -> None:
        for taken in receiver.hear(octets):
            note(taken)

    pump.on_write = hear
    return lambda octets: not any(word in pdu for pdu in receiver.would_take(octets) for word in words)


def report(capsys: pytest.CaptureFixture[str], name: str, campaign: Campaign, pump: Stand, wall_s: float) -> None:
    frames = campaign.damaged
    with capsys.disabled():
        print(
            f"\n{name}: {frames:,} damaged frames in {wall_s:.0f} s, {pump.clock.now() / 3600:.2f} h of the pump's time"
        )
        for title, counter in (("sent", campaign.frames), ("heard", campaign.answers)):
            print(f"  {title}: " + ", ".join(f"{kind} {count:,}" for kind, count in counter.most_common()))


@contextmanager
def replayable(campaign: Campaign, seed: int) -> Iterator[None]:
    """Add to a failure what leads to it again."""
    try:
        yield
    except AssertionError as error:
        last = "\n".join(octets.hex(" ") for octets in campaign.sent)
        error.add_note(f"seed {seed}, after {campaign.damaged} damaged frames; the last ones:\n{last}")
        raise


def run(campaign: Campaign, frames: int, pump: Stand, log: LogBook) -> None:
    """Send the frames, and read on in the log before it can have overwritten what was not read."""
    for share in range(LOOKS):
        campaign.run(frames * (share + 1) // LOOKS)
        log.read_on(pump.connect())


@pytest.mark.parametrize("share", SHARES)
def test_a_stopped_pump_delivers_nothing(
    pump: Stand, capsys: pytest.CaptureFixture[str], frames: int, seed: int, share: int
) -> None:
    seed, frames = seed * len(SHARES) + share, frames // (2 * len(SHARES))
    wall, log, before_g = WallClock(), LogBook([]), pump.weigh_g()
    log.read_on(pump.connect())
    campaign = Campaign(pump, seed, judged(pump, lambda _taken: None, RUN, PRIME, RESTART))
    with replayable(campaign, seed):
        run(campaign, frames, pump, log)
        assert pump.motor_steps() == 0
        pump.clock.sleep(60.0)
        assert (pump.weigh_g() - before_g) / G_PER_U == pytest.approx(0.0, abs=NOISE_U)
    report(capsys, f"therapy stopped, seed {seed}", campaign, pump, wall.now())


@pytest.mark.parametrize("share", SHARES)
def test_a_running_pump_delivers_what_was_asked_for(
    pump: Stand, capsys: pytest.CaptureFixture[str], frames: int, seed: int, share: int
) -> None:
    seed, frames = seed * len(SHARES) + share, frames // (2 * len(SHARES))
    wall, log, before_g = WallClock(), LogBook([]), pump.weigh_g()
    Pump(pump).bring("basal")
    ledger = Ledger.new()
    campaign = Campaign(pump, seed, judged(pump, ledger.note, PRIME, FILL, RESTART))
    with replayable(campaign, seed):
        run(campaign, frames, pump, log)
        client = pump.connect()
        assert client.procedure("command", STOP).indication[:4].hex() == "550f5a0f"
        pump.clock.sleep(120.0)
        log.read_on(client)
        assert ledger.unasked(log.records) == []
        counted = client.procedure("reader", "c003").indication
        bolus_u, basal_u = delivered_u(counted[2:6]), delivered_u(counted[6:10])
        assert bolus_u <= logged_u(log.records, BOLUS_PROGRAMMED)
        assert bolus_u == pytest.approx(logged_u(log.records, BOLUS_DELIVERED), abs=DOSE_U / 2)
        assert pump.moved_u() == pytest.approx(bolus_u + basal_u, abs=DOSE_U / 2)
        weighed_u = (pump.weigh_g() - before_g) / G_PER_U
        assert weighed_u == pytest.approx(pump.moved_u(), rel=DRIVE_ERROR, abs=SCREW_U + DOSE_U)
    report(capsys, f"therapy running, seed {seed}", campaign, pump, wall.now())
    with capsys.disabled():
        boluses = sum(record.event == BOLUS_PROGRAMMED for record in log.records)
        print(f"  {boluses} boluses, {len(log.records):,} log records, {weighed_u:.2f} U on the balance")


def test_a_bolus_that_nobody_asked_for_is_found(pump: Stand) -> None:
    whole, lacking, log = Ledger.new(), Ledger.new(), LogBook([])
    unit = Pump(pump)
    unit.bring("running")
    value = unit.client.protected("command", "4b11 00 33 19f0 0000 0000")
    whole.note(Taken(1, 1, bytes.fromhex("121100") + value))
    assert unit.ask("command", "4b11 00 33 19f0 0000 0000").indication[:2].hex() == "7711"
    log.read_on(unit.client)
    assert whole.unasked(log.records) == []
    assert lacking.unasked(log.records) == [(0x33, 2500, 0, 0)]


def test_a_bolus_by_template_is_known_by_the_amounts_of_the_template() -> None:
    template = Taken(1, 1, bytes.fromhex("121100 dd11 0a 07 55 7de0 7de0 a005 d002 07 01 0000"))
    bolus = Taken(1, 2, bytes.fromhex("121100 4b11 02 0f ff07 ff07 0000 0a 02 0000"))
    programmed = Record("5a00", 0, 0, bytes.fromhex("0100 55 7de0 7de0 a005"))
    known, unknown = Ledger.new(), Ledger.new()
    for taken in (template, bolus, bolus):
        known.note(taken)
    unknown.note(bolus)
    assert known.unasked([programmed]) == []
    assert known.unasked([programmed, programmed]) == [(0x55, 1250, 1250, 1440)]
    assert unknown.unasked([programmed]) == [(0x55, 1250, 1250, 1440)]
