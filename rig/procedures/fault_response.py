"""A fault of the catalogue in a state of the pump: how soon it is answered, what comes, and three accounts afterwards.

One procedure for every fault that a bench can inject by itself, in whatever the pump is doing, at any moment of it.
What was delivered is weighed from rest to rest; when the last of it came, and what the pump annunciated when, is read
meanwhile, and the first pulse that is heard is looked for in a recording. A pump that never answers is given up after
`watch_s`, and that time is its number. Not responsible for limits, nor for faults that are commands to the pump.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rig.analysis.budget import Budget
from rig.procedures.answers import accepted, ask_for_bolus, ask_pump
from rig.procedures.bounds import Dose, ShareOrNone, Size, lasting
from rig.procedures.budgets import measured, with_one_source
from rig.procedures.fault_states import STATE, Programme
from rig.procedures.from_sheet import FromSheet
from rig.procedures.in_state import FILLED_U, Accounts, FaultInState, accounted
from rig.procedures.listening import begin_listening, end_listening, heard_in, time_between
from rig.procedures.parameters import FAULT
from rig.procedures.power import START_S, find_again, pass_over
from rig.procedures.procedure import Computed
from rig.procedures.provoking import FaultBench, provoking
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import (
    TAIL_S,
    AlarmAwaited,
    await_alarm,
    came,
    scale_of_bench,
    shown_now,
    without_blanks,
)
from rig.procedures.volume import VolumeScale
from rig.record.taking import Fact, Recorder, Series, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import TherapyState
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, FREE, FAULTY, HELD, CLEARED, AFTER = (
    "rest before",
    "delivery before the fault",
    "delivery under the fault",
    "fault held",
    "fault cleared",
    "stopped at the end",
)
LOOK_EVERY_S = 0.5
"""From look to look at pump and balance: what is to be answered within 1 or 2 s is known to a quarter of that."""
SHORTEST_WATCH_S, MOST_DOSES, MOST_LOOKS = 60.0, 8, 240
"""A pump that has said nothing after so long, and so many doses that could show the fault, is given up."""
SOUND, LEAD_S = "fault response", 2.0
RUN, ANOTHER = "therapy while the fault holds", "a bolus while the fault holds"
LAST_U = 0.0125
"""Half of a dose of 0.025 U: what comes later than the rest of it, and is less, is no delivery."""
READINGS_OF_NOISE = 5.0
"""Standard uncertainties of one reading that no rest exceeds once in a million readings."""
AVERAGED_S = 20.0
"""The end of the time under the fault, over which what came is averaged."""


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    text = f"{words} of fault {{fault}}, {{state}}"
    return Kind(f"fault_response.{name}", text, (unit,), (FAULT, STATE), meaning)


MISSING = _kind("unannunciated", "missing annunciation", "annunciations", "1 where it was given up unannunciated.")
WITHDRAWN = _kind(
    "withdrawn", "withdrawn annunciation", "annunciations", "1 where it was told, and no more before it was confirmed."
)
TIME = _kind(
    "time_to_annunciation", "time to the annunciation", "s",
    "From the fault, or from when the pump has its supply again, to its word; or until it was given up.",
)  # fmt: skip
STOP = _kind(
    "time_to_stop", "time to the last liquid", "s",
    "From the fault until all but half a dose of what came under it had come, with the fading of the line.",
)  # fmt: skip
HEARD = _kind("time_to_sound", "time to the first pulse heard", "s", "From the fault, or as long as was listened.")
STOPPED = _kind("stopped", "stopped delivery", "stops", "1 where the pump said at the watch's end that it had stopped.")
BEYOND = _kind(
    "delivered_beyond", "delivered after the onset", "U",
    "All that came until the fault was cleared, less what was programmed until it began.",
)  # fmt: skip
MISSED = _kind(
    "missed", "missed", "U",
    "What was programmed until the annunciation, or the stop where therapy ran on, less what came.",
)  # fmt: skip
RELEASED = _kind("after_clearing", "delivered after the end", "U", "What came when it was over, unconfirmed.")
STARTS = _kind(
    "starts",
    "starts of therapy",
    "starts",
    "How often stopped therapy could be started while it held, or ran when it was over, with nobody asking.",
)
LOGGED = _kind("logged_less_weighed", "logged less weighed amount", "U", "What the pump accounts for, less what came.")
COUNTED = _kind("reservoir_less_weighed", "reservoir's count less weighed amount", "U", "What left it, less what came.")
AGREES = _kind("reservoir_less_logged", "reservoir's count less logged amount", "U", "Two accounts of the pump's own.")
CLAIMED = _kind(
    "logged_less_programmed", "logged less programmed amount", "U",
    "What the pump accounts for, less its programme until the annunciation or the stop.",
)  # fmt: skip


class FaultAnswered(Fact):
    """When delivery, fault and stop began; whether the pump delivered under the fault, and still told of it then."""

    begun_at_s: float
    onset_at_s: float
    stopped_at_s: float
    ran_on: bool
    tells: bool
    resumes: bool = False


class FaultResponse(FaultInState):
    """Inject a fault in a state of the pump, time its answers, weigh, clear it, and compare three accounts.

    The fault begins `onset_s` after the delivery, or when a share of it is programmed to have come. It is watched for
    `watch_s`, or as long as eight doses take, and listened to for `listen_s` where that is not 0.
    """

    TABLE: ClassVar = "fault_response"
    KEYWORD: ClassVar = "Time Answer To Fault"
    IN_WORDS: ClassVar = "fault {title}"
    KINDS: ClassVar = (
        MISSING, WITHDRAWN, TIME, STOPPED, STOP, HEARD, BEYOND, MISSED, RELEASED, STARTS, LOGGED, COUNTED, AGREES,
        CLAIMED,
    )  # fmt: skip
    EXPECTED: ClassVar = frozenset(
        {
            "occlusion", "mechanical issue", "reservoir issue", "reservoir low", "reservoir empty", "system issue",
            "battery low", "battery empty", "bolus cancelled", "temporary rate cancelled", "date and time issue",
            "temperature", "temperature out of range", "air pressure out of range", "priming issue",
        }
    )  # fmt: skip

    share_percent: Annotated[ShareOrNone | None, Field(alias="share")] = None
    watch_s: Annotated[Annotated[TimeS, lasting("1 s", "1 d")] | None, Field(alias="watch")] = None
    listen_s: Annotated[TimeS, lasting("0 s", "10 min"), Field(alias="listen")] = 0.0
    dose_u: Annotated[Dose, FromSheet("dose.size"), Field(alias="dose")] = 0.025
    low_u: Annotated[Size, FromSheet("reservoir.low"), Field(alias="low")] = 20.0

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if self.injection.provocation.command is not None:
            raise ValueError(
                f"fault {self.fault} is a command to the pump, which has a measurement of its own (docs/faults.md); "
                "here stand faults that a bench provokes by itself"
            )
        if self.listen_s > self.watched_s:
            raise ValueError(f"it is listened to for {self.listen_s:g} s, and watched for {self.watched_s:g} s only")
        return self

    @property
    def watched_s(self) -> float:
        """For how long it is watched, in s: as is asked, or a minute, and `MOST_DOSES` where doses come more slowly."""
        if self.watch_s is not None:
            return self.watch_s
        flow_u_per_h = self.programme.flow_u_per_h if self.state != "stopped" else math.inf
        return max(SHORTEST_WATCH_S, 3600.0 * MOST_DOSES * self.dose_u / flow_u_per_h)

    @property
    def looks_every_s(self) -> float:
        """From look to look, in s: as often as `LOOK_EVERY_S`, less often where it is watched for long."""
        return max(LOOK_EVERY_S, self.watched_s / MOST_LOOKS)

    @property
    def begins_after_s(self) -> float:
        """How long after the delivery the fault begins, in s."""
        programme = self.programme
        if self.share_percent is None or programme.of_therapy or self.state == "stopped":
            return self.onset_s
        return 3600.0 * self.size_u / programme.flow_u_per_h * self.share_percent / 100.0

    @property
    def title(self) -> str:
        """What tells it from others: fault, state, what is delivered, and when the fault begins."""
        what = {
            "stopped": "",
            "basal": f" at {self.rate_u_per_h:g} U/h",
            "alarm": f" at {self.rate_u_per_h:g} U/h",
            "extended": f" of {self.size_u:g} U over {self.duration_s / 60.0:g} min",
        }.get(self.state, f" of {self.size_u:g} U")
        return f"{self.fault}, {self.state}{what}, after {self.begins_after_s:g} s"

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """The supply where the fault is one of it, the recorder where it is listened to."""
        return (*(("supply",) if self._of_supply else ()), *(("sound",) if self.listen_s else ()))

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most: its programme, and a bolus that is asked for while the fault holds."""
        lasts_s = self.onset_s + self.watched_s + 4.0 * TAIL_S
        return self.size_u * 2.0 + self.programme.basal_u_per_h * lasts_s / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._of(kind) for kind in self.KINDS if kind is not HEARD or self.listen_s)

    @property
    def _of_supply(self) -> bool:
        return self.injection.provocation.supply is not None or self.injection.provocation.voltage is not None

    @property
    def _without_supply(self) -> bool:
        """Whether the pump has no supply until the fault is cleared, so that it can neither deliver nor tell."""
        return self.injection.provocation.supply is not None and not self.injection.provocation.momentary

    # ---- taking ------------------------------------------------------------------------------------------------

    def take(self, bench: Bench, record: Recorder) -> None:
        """Bring the pump into the state, inject, look, clear and look again, for fixed times whatever the pump does."""
        programme = self.programme
        without_blanks(
            bench,
            record,
            rate_u_per_h=programme.basal_u_per_h,
            deliver=lambda: self._deliver(bench, record, programme),
            reservoir_u=self.low_u if self.state == "alarm" else FILLED_U,
        )

    def _deliver(self, bench: Bench, record: Recorder, programme: Programme) -> None:
        wait_for_rest(bench, record, BEFORE)
        with accounted(bench, record, programme):
            begun_s = programme.begin(bench, record)
            _until(bench, record, FREE, begun_s + self.begins_after_s - (LEAD_S if self.listen_s else 0.0))
            before = shown_now(bench)
            with provoking(bench, record) as faults:
                if self.listen_s:
                    begin_listening(bench, record, lasting_s=LEAD_S + self.listen_s)
                    _until(bench, record, FREE, bench.clock.now() + LEAD_S)
                onset_s = faults.inject(self.injection)
                ran_on, tells = self._answered(bench, record, faults, before, onset_s)
                resumes = not ran_on and _delivers(bench)
            stopped_s = bench.clock.now()
            programme.end(bench, record)
            sample_for(bench, record, AFTER, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
        record.fact(
            FaultAnswered(
                at_s=bench.clock.now(),
                begun_at_s=begun_s,
                onset_at_s=onset_s,
                stopped_at_s=stopped_s,
                ran_on=ran_on,
                tells=tells,
                resumes=resumes,
            )
        )
        if self._of_supply:
            pass_over(bench)  # what the supply did to the pump, the rig did

    def _answered(
        self, bench: Bench, record: Recorder, faults: FaultBench, before: frozenset[int], onset_s: float
    ) -> tuple[bool, bool]:
        """Watch the pump under the fault and after it; says whether it delivers under it, and still tells anything."""
        if self._without_supply:
            return self._answered_with_supply(bench, record, faults, before)
        momentary = self.injection.provocation.momentary
        if self._of_supply and momentary:
            onset_s = bench.clock.now()  # it can tell nothing before
            sample_for(bench, record, FAULTY, duration_s=START_S, every_s=SAMPLE_EVERY_S)
            find_again(bench)
        seen = self._await(bench, record, FAULTY, before, onset_s, self.watched_s)
        if self.listen_s:
            end_listening(bench, record, SOUND)
        ran_on, tells = _delivers(bench), _tells(bench, before)
        stopped_by_it = not ran_on and (seen or self.state == "stopped")  # and not by the end of its programme
        if stopped_by_it and not momentary and not self._of_supply:
            ask_pump(bench, record, RUN, bench.pump.run)
            if Capability.FAST_BOLUS in bench.pump.capabilities:
                ask_for_bolus(bench, record, self.size_u, ANOTHER)
        sample_for(bench, record, HELD, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
        tells = tells and _tells(bench, before)
        faults.clear(self.injection)
        sample_for(bench, record, CLEARED, duration_s=TAIL_S, every_s=SAMPLE_EVERY_S)
        return ran_on, tells

    def _answered_with_supply(
        self, bench: Bench, record: Recorder, faults: FaultBench, before: frozenset[int]
    ) -> tuple[bool, bool]:
        """Weigh while it has no supply, give it back, and look what it annunciates, and whether it goes on."""
        sample_for(bench, record, FAULTY, duration_s=self.watched_s, every_s=SAMPLE_EVERY_S)
        if self.listen_s:
            end_listening(bench, record, SOUND)
        sample_for(bench, record, HELD, duration_s=SAMPLE_EVERY_S, every_s=SAMPLE_EVERY_S)
        faults.clear(self.injection)
        since_s = bench.clock.now()
        sample_for(bench, record, CLEARED, duration_s=START_S, every_s=SAMPLE_EVERY_S)
        find_again(bench)
        self._await(bench, record, CLEARED, before, since_s, TAIL_S)
        return _delivers(bench), _tells(bench, before)

    def _await(
        self, bench: Bench, record: Recorder, phase: str, before: frozenset[int], since_s: float, watch_s: float
    ) -> bool:
        alarm = await_alarm(
            bench, record, phase, kinds=self.injection.fault.annunciated, before=before, since_s=since_s,
            watch_s=watch_s, every_s=self.looks_every_s,
        )  # fmt: skip
        return alarm.seen

    # ---- computing ---------------------------------------------------------------------------------------------

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Time the answers, and weigh under the fault, after it, and against the pump's accounts."""
        scale = scale_of_bench(taken, metrology)
        fact, alarm, accounts = taken.the(FaultAnswered), taken.the(AlarmAwaited), taken.the(Accounts)
        under = came(scale, taken.series(BEFORE, FREE, FAULTY, HELD))
        whole = came(scale, taken.series(BEFORE, FREE, FAULTY, HELD, CLEARED, AFTER))
        due_s = fact.stopped_at_s if fact.ran_on else fact.onset_at_s if self._of_supply else alarm.at_s
        programmed = self.programme.programmed_u
        due_u, by_onset_u = (programmed(each - fact.begun_at_s) for each in (due_s, fact.onset_at_s))
        looked_s = alarm.looked_every_s / math.sqrt(3.0)
        budgets = {
            TIME: with_one_source(alarm.at_s - alarm.since_s, "s", "time between looks at the pump", looked_s),
            STOP: _last_liquid(scale, taken.series(FAULTY, HELD), fact),
            BEYOND: under.linear(1.0, offset=-by_onset_u, unit="U"),
            MISSED: (whole if fact.ran_on else under).linear(-1.0, offset=due_u, unit="U"),
            RELEASED: came(scale, taken.series(CLEARED, AFTER)),
            LOGGED: whole.linear(-1.0, offset=accounts.told_u, unit="U"),
            COUNTED: whole.linear(-1.0, offset=accounts.reservoir_u or 0.0, unit="U"),
        }
        if self.listen_s:
            heard = heard_in(taken, SOUND)
            bursts = heard.bursts(since_s=fact.onset_at_s)
            at_s = heard.begins_s(bursts[0]) if bursts else heard.to_s
            budgets[HEARD] = time_between(heard, at_s, fact.onset_at_s, fact.onset_at_s)
        by_quantity = {self._of(kind): budget for kind, budget in budgets.items()}
        counts: Mapping[Kind, float] = {
            MISSING: float(not alarm.seen),
            WITHDRAWN: float(alarm.seen and not fact.tells),
            STOPPED: float(not fact.ran_on),
            STARTS: float(accepted(taken, RUN) + fact.resumes),
            CLAIMED: accounts.told_u - due_u,
            AGREES: (accounts.reservoir_u or 0.0) - accounts.told_u,
        }
        return Computed(
            (
                *(Measurement(self._of(kind), value) for kind, value in counts.items()),
                *(measured(quantity, budget) for quantity, budget in by_quantity.items()),
            ),
            budgets=by_quantity,
        )


def _until(bench: Bench, record: Recorder, phase: str, until_s: float) -> None:
    """Read the bench until a moment of its clock, once at least."""
    left_s = max(0.0, until_s - bench.clock.now())
    sample_for(bench, record, phase, duration_s=left_s, every_s=SAMPLE_EVERY_S)


def _tells(bench: Bench, before: frozenset[int]) -> bool:
    """Say whether anything is annunciated that was not before."""
    return bool(shown_now(bench) - before)


def _delivers(bench: Bench) -> bool:
    """Say whether the pump says that it delivers therapy, or primes."""
    status = bench.pump.status()
    return status.therapy is TherapyState.RUN or status.operational == "priming"


def _last_liquid(scale: VolumeScale, readings: Series, fact: FaultAnswered) -> Budget:
    """Write the budget in s of the time from a fault to the last of what came; of a pump that ran on, to the end."""
    at_s, delivered_u = readings.at_s, scale.delivered_u(readings)
    last_u = max(LAST_U, READINGS_OF_NOISE * scale.reading_u)
    final_u = float(np.mean(delivered_u[at_s >= at_s[-1] - AVERAGED_S]))
    missing = np.flatnonzero(final_u - delivered_u > last_u)
    if fact.ran_on:
        reached_s = float(at_s[-1])
    else:
        reached_s = float(at_s[min(int(missing[-1]) + 1, at_s.size - 1)]) if missing.size else fact.onset_at_s
    apart_s = SAMPLE_EVERY_S / math.sqrt(3.0)
    return with_one_source(max(0.0, reached_s - fact.onset_at_s), "s", "time between readings", apart_s)
