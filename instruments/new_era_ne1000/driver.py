"""The role Pump over a New Era NE-1000 syringe pump: one basal rate, or one fast bolus at a time.

The pump knows a rate, a volume, a diameter and nothing of insulin: what therapy there is stands here. It keeps no log,
has no reservoir and sees no occlusion before its motor stalls; that is no capability of it. A setting is never repeated
after a lost reply. RUN and STP are only when the pump, asked, shows that they were not obeyed. Not responsible for the
line (`line`).
Source: New Era, NE-1000 user manual, publication 1200-01; see protocol.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from instruments.new_era_ne1000.line import PumpLine
from instruments.new_era_ne1000.options import (
    BOLUS_U_PER_MIN,
    DIAMETER_MM,
    Address,
    BolusUPerMin,
    DiameterMm,
    Options,
    SafeS,
)
from instruments.new_era_ne1000.packets import Reply, digits
from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, RefusedError, UnableError, WhyRefused
from rig.roles import Annunciation, Capability, Identity, PumpStatus
from rig.roles.recognition import LineSettings, Recognition
from rig.step import Probe
from rig.therapy import BasalSegment, BolusState, TherapyState, minutes_of
from rig.units import UL_PER_U
from rig.wire import ByteLog

ROLE = "pump"
"""What it does on a bench: the table of a bench file that it belongs into."""
NUMBERED_BY_HAND = True
"""Its network address stands for a serial number: many pumps tell the same."""

_PLATE = (("NE-", 2), ("address ", 1), ("", 3))
"""Model, number and firmware: what stands before each, and where it is in the answer to VER."""

RECOGNITION = Recognition(
    (Probe(b"00VER\r", re.compile(rb"\x02(\d\d)[IWSPTUX]NE(\d+)V([!-~]+)\x03")),),
    lambda answers: Identity("New Era", *(f"{word}{answers[0][n].decode()}" for word, n in _PLATE)),
    lines=(LineSettings(19200),),
)
"""Asks in Basic mode, in which a pump is that nobody else talks to; VER changes nothing (1200-01, 10.4)."""

MINUTES_A_DAY = 1440
SMALLEST_VOLUME_UL = 0.001
"""Of three digits behind the point; 0 is no volume, but a plunger that moves without end."""
ATTEMPTS = 3
STOPS = 4
"""STP is told so often at most: once to pause, once to stop, and twice where an alarm or somebody else came between."""
ALARMS = {
    "R": "power was lost",
    "S": "mechanical",
    "T": "communication lost",
    "E": "program error",
    "O": "program phase out of range",
}
REFUSALS = {
    "?": "a command that it does not know",
    "?NA": "not applicable now",
    "?OOR": "out of range",
    "?COM": "a damaged packet",
    "?IGN": "ignored, a program phase begins",
}
DAMAGED = "?COM"
"""The packet was not obeyed, so whatever it was may be told again."""
MOVING, PAUSED = "IWX", "P"


class SyringePump:
    """A New Era syringe pump with U-100 insulin, or water, in its syringe."""

    def __init__(self, line: PumpLine, options: Options) -> None:
        self.name = line.name
        self._line = line
        self._options = options
        self._diameter = f"DIA{digits(options.diameter_mm)}"
        self._prepared = False
        self._therapy = TherapyState.STOP
        self._rate_u_per_h = 0.0
        self._bolus_id = 0
        self._bolus_u: float | None = None
        self._alarms: list[Annunciation] = []
        self._alarms_heard = 0

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What a plunger at a rate can do of what a pump for insulin does."""
        return frozenset({Capability.BASAL_PROFILE, Capability.FAST_BOLUS, Capability.CANCEL_BOLUS})

    # ---- instrument -------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Model and firmware from VER; its network address stands for a serial number, which it does not tell."""
        text = self._tell("VER").data
        model, _, version = text.partition("V")
        if not (text.startswith("NE") and version):
            raise self._odd("VER", text)
        return Identity("New Era", f"NE-{model[2:]}", f"address {self._options.address:02d}", version)

    def self_test(self) -> str:
        """A sentence on what the pump does."""
        status = self._tell("").status
        raised = ", ".join(alarm.kind for alarm in self._alarms)
        return f"status {status}, syringe of {self._options.diameter_mm:g} mm" + (
            f", annunciates {raised}" if raised else ""
        )

    def make_safe(self) -> None:
        """Stop the plunger; said unheard when the pump does not answer: once to pause it, once to stop it."""
        try:
            self.stop()
        except (NoReplyError, BadReplyError):
            for _ in range(2):
                self._line.say("STP")
            raise

    def close(self) -> None:
        """Release the port."""
        self._line.close()

    # ---- state ------------------------------------------------------------------------------------------------

    def status(self) -> PumpStatus:
        """Whether the plunger moves or may; a pump that an alarm stopped has stopped therapy."""
        letter = self._look()
        if letter in MOVING:
            words = "infusing" if letter == "I" else "withdrawing" if letter == "W" else "purging"
            self._therapy = TherapyState.RUN  # also when someone else let it move
        else:
            words = "paused" if letter in PAUSED else "standing"
        return PumpStatus(self._therapy, words, reservoir_u=None, reservoir_attached=True)

    def annunciations(self) -> list[Annunciation]:
        """The alarms that the pump has told; asking it acknowledges them there, so they are kept here."""
        self._look()
        return list(self._alarms)

    def confirm(self, annunciation_id: int) -> None:
        """Drop an alarm; RefusedError when there is none of that id."""
        left = [alarm for alarm in self._alarms if alarm.annunciation_id != annunciation_id]
        if len(left) == len(self._alarms):
            raise RefusedError(
                asked=f"confirming annunciation {annunciation_id}",
                of_whom=self.name,
                came_back="there is none of that id",
                look_at="ask for the annunciations",
            )
        self._alarms = left

    # ---- therapy ----------------------------------------------------------------------------------------------

    def set_basal_profile(self, segments: Sequence[BasalSegment]) -> None:
        """Keep one rate in U/h for the whole day; UnableError when the segments differ.

        RefusedError while therapy is not stopped, unless a plunger that moves at a rate is to move at another.
        """
        if minutes_of(segments) != MINUTES_A_DAY:
            raise ValueError(f"a profile covers 1440 min, this one {minutes_of(segments)} min")
        if len({segment.rate_u_per_h for segment in segments}) != 1:
            raise UnableError(asked=f"a basal profile of {len(segments)} segments", of_whom=self.name)
        rate_u_per_h = segments[0].rate_u_per_h
        if self._therapy is not TherapyState.STOP and bool(rate_u_per_h) != bool(self._rate_u_per_h):
            raise self._refused(f"{rate_u_per_h:g} U/h after {self._rate_u_per_h:g} U/h", "therapy is not stopped")
        if rate_u_per_h:
            self._set(f"RAT{digits(rate_u_per_h * UL_PER_U)}UH")
        self._rate_u_per_h = rate_u_per_h

    def run(self) -> None:
        """Let the plunger move at the basal rate; at 0 U/h it stands until a bolus is asked for."""
        letter = self._look()
        if self._therapy is TherapyState.PAUSE and letter == PAUSED:
            self._start()
        elif self._therapy is not TherapyState.RUN and self._rate_u_per_h:
            self._move(self._rate_u_per_h * UL_PER_U, 0.0)
        self._therapy = TherapyState.RUN

    def pause(self) -> None:
        """Hold the plunger; RefusedError unless therapy runs. What is missed does not follow."""
        if self._therapy is not TherapyState.RUN:
            raise self._refused("pausing", "therapy does not run")
        if self._tell("").status in MOVING:
            self._act("STP", lambda reply: reply.status not in MOVING)
        self._therapy = TherapyState.PAUSE

    def stop(self) -> None:
        """Stop the plunger: the first STP pauses it, the second ends its program; RefusedError when it moves on."""
        for _ in range(STOPS):
            before = self._tell("").status
            if before == "S":
                break
            self._leave(before)
        else:
            if (status := self._tell("").status) != "S":
                raise self._refused("STP", f"{STOPS} times: its status is {status} still")
        self._therapy = TherapyState.STOP
        self._bolus_u = None

    def bolus(self, insulin_u: float) -> int:
        """Move the plunger by a volume; RefusedError unless therapy runs at 0 U/h and no bolus is being delivered.

        A volume below 0.001 µL is refused, too: the pump takes 0 for a volume without end.
        """
        if not insulin_u * UL_PER_U >= SMALLEST_VOLUME_UL:
            raise self._refused(f"a bolus of {insulin_u:g} U", f"{SMALLEST_VOLUME_UL / UL_PER_U:g} U is the smallest")
        if self._therapy is not TherapyState.RUN:
            raise self._refused(f"a bolus of {insulin_u:g} U", "therapy does not run")
        if self._rate_u_per_h:
            raise UnableError(asked=f"a bolus beside a basal rate of {self._rate_u_per_h:g} U/h", of_whom=self.name)
        if self.active_boluses():
            raise self._refused(f"a bolus of {insulin_u:g} U", "another one is being delivered")
        self._move(self._options.bolus_ul_per_h, insulin_u * UL_PER_U)
        self._bolus_id += 1
        self._bolus_u = insulin_u
        return self._bolus_id

    def active_boluses(self) -> list[BolusState]:
        """The bolus that is being delivered, with what the pump says it has dispensed of it."""
        if self._bolus_u is not None and self._look() not in MOVING + PAUSED:
            self._bolus_u = None
        if self._bolus_u is None:
            return []
        return [BolusState(self._bolus_id, self._bolus_u, self._dispensed_ul() / UL_PER_U)]

    def cancel_bolus(self, bolus_id: int) -> None:
        """Stop the plunger in the middle of a bolus; RefusedError when it is not the one being delivered."""
        if bolus_id not in [bolus.bolus_id for bolus in self.active_boluses()]:
            raise self._refused(f"cancelling bolus {bolus_id}", "it is not being delivered")
        self.stop()
        self._therapy = TherapyState.RUN

    # ---- commands ---------------------------------------------------------------------------------------------

    def _look(self) -> str:
        """The status letter. A pump that stands where it should move was stopped by an alarm that got lost.

        That is so when the reply that told the alarm, and acknowledged it by that, did not arrive.
        """
        letter = self._tell("").status
        if letter == "S" and self._therapy is not TherapyState.STOP:
            bolus_ul = (self._bolus_u or 0.0) * UL_PER_U
            if self._rate_u_per_h or (bolus_ul and self._dispensed_ul() < bolus_ul - SMALLEST_VOLUME_UL):
                self._annunciate("stopped, reason unknown")
        return letter

    def _move(self, rate_ul_per_h: float, volume_ul: float) -> None:
        """Move at a rate until `volume_ul` is dispensed, 0 without end; RefusedError when an alarm comes meanwhile."""
        heard = self._alarms_heard
        # with VOLUL, as without it the same number is 1000 times as much in a syringe of more than 14 mm
        settings = (self._diameter, "VOLUL", f"VOL{digits(volume_ul)}", f"RAT{digits(rate_ul_per_h)}UH", "DIRINF")
        for command in ("PHN1", "FUNRAT", *settings, "CLDINF"):
            self._set(command)
        if self._alarms_heard != heard:
            raise self._refused("RUN", f"the alarm “{self._alarms[-1].kind}” came")
        self._start()

    def _start(self) -> None:
        """RUN. A short bolus may have ended before the pump can be asked: then it has dispensed something."""

        def obeyed(reply: Reply) -> bool:
            return reply.status in MOVING or (reply.status != PAUSED and self._dispensed_ul() > 0.0)

        self._act("RUN", obeyed)

    def _dispensed_ul(self) -> float:
        """What has been infused since CLDINF, in µL."""
        text = self._tell("DIS").data
        try:
            infused, _, unit = text.removeprefix("I").partition("W")
            return float(infused) * {"UL": 1.0, "ML": 1e3}[unit[-2:]]
        except (ValueError, KeyError):
            raise self._odd("DIS", text) from None

    def _tell(self, command: str) -> Reply:
        """Ask: what changes nothing, and may be repeated until it is answered."""
        self._prepare()
        return self._line.ask_again(lambda: self._obeyed(command), asked=repr(command))

    def _set(self, command: str) -> None:
        """Set to a value, once: after a lost reply the error says that it may have been obeyed."""
        self._prepare()
        self._line.ask_once(lambda: self._obeyed(command), asked=repr(command))

    def _leave(self, status: str) -> None:
        """Tell the plunger to stop: once it pauses, twice its program ends."""
        self._act("STP", lambda reply: reply.status != status)

    def _act(self, command: str, obeyed: Callable[[Reply], bool]) -> None:
        """Do what may not be done twice: after a lost reply the pump is asked whether it was obeyed."""
        for _ in range(ATTEMPTS - 1):
            try:
                self._obeyed(command)
                return
            except (NoReplyError, BadReplyError):
                if obeyed(self._tell("")):
                    return
        self._obeyed(command)

    def _obeyed(self, command: str) -> Reply:
        """Send a command; again after an alarm, which the pump tells instead of obeying."""
        self._line.get_into_step()
        for letter in self._line.take_alarms():
            self._alarm(command, letter)
        reply = self._line.ask(command)
        for _ in ALARMS:
            if not reply.alarm:
                break
            self._alarm(command, reply.alarm)
            reply = self._line.ask(command)
        if reply.data == DAMAGED:
            raise BadReplyError(
                asked=repr(command),
                of_whom=self.name,
                came_back=f"it heard {REFUSALS[DAMAGED]}",
                look_at="check the cable",
            )
        if reply.data.startswith("?"):
            raise self._refused(repr(command), f"“{REFUSALS.get(reply.data, reply.data)}” ({reply.data}) came back")
        return reply

    def _alarm(self, command: str, letter: str) -> None:
        """Keep an alarm; RefusedError in place of RUN, since the pump's state is another now."""
        self._annunciate(ALARMS[letter])
        if command == "RUN":
            raise self._refused("RUN", f"the alarm “{ALARMS[letter]}” came")

    def _annunciate(self, kind: str) -> None:
        self._therapy, self._bolus_u = TherapyState.STOP, None
        self._alarms_heard += 1
        self._alarms.append(Annunciation(self._alarms_heard, kind, "pending"))

    def _prepare(self) -> None:
        """Before the first command: agree on the packets, by one that is heard in both modes, and tell the syringe."""
        if self._prepared:
            return
        self._prepared = True
        self._line.safe = True
        agree = f"SAF{self._options.safe_s}"
        try:
            self._obeyed(agree)
        except (NoReplyError, BadReplyError):  # half a line of a program that died: what followed it was none
            self._line.end_half_line()
            self._set(agree)
        self._line.safe = self._options.safe_s > 0
        if self._tell("").status == "S":
            self._set(self._diameter)

    def _refused(self, asked: str, reason: str) -> RefusedError:
        refusal = next((each for each in WhyRefused if each.value == reason), WhyRefused.OTHER)
        return RefusedError(
            asked=asked, of_whom=self.name, came_back=f"refused, {reason}", look_at="see protocol.md", refusal=refusal
        )

    def _odd(self, asked: str, text: str) -> BadReplyError:
        return BadReplyError(
            asked=asked, of_whom=self.name, came_back=f"it answered {text!r}", look_at="is it an NE-1000? (protocol.md)"
        )


def open_driver(
    port: str,
    *,
    clock: Clock,
    log: ByteLog,
    address: Address = 0,
    diameter_mm: DiameterMm = DIAMETER_MM,
    safe_s: SafeS = 0,
    bolus_u_per_min: BolusUPerMin = BOLUS_U_PER_MIN,
) -> SyringePump:
    """Open the pump at a network address; `safe_s` > 0 lets it stop when it hears nothing for so many seconds.

    Raises:
        ValueError: an option is out of range, or no number of its kind.
        NotConnectedError: the port cannot be opened.
    """
    options = Options(address, diameter_mm, safe_s, bolus_u_per_min)
    return SyringePump(PumpLine(port, address, clock, log), options)
