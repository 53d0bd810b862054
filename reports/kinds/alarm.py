"""Alarms that were heard: when each pulse sounded, each burst with its priority, what does not conform.

Not responsible for the numbers, which the record holds.
"""

from __future__ import annotations

from collections import Counter

from reports.blocks import Block, facts, table, text
from reports.curve import marks
from reports.curve.description import Axis, Curve, Panel
from reports.kinds.kind import AnalysisKind, DrawnLimits, Method
from reports.style import BLUE, GREY, ORANGE, RED
from reports.tables import Cell, Tables
from reports.words import NBSP, quantity
from rig.record.analyses import AlarmBurst, AlarmNumbers

LANES = ("undecided", "low", "medium", "high")
COLORS = {"undecided": GREY, "low": BLUE, "medium": ORANGE, "high": RED}
MOST_ROWS = 60


def _blocks(heard: AlarmNumbers, _: DrawnLimits) -> list[Block]:
    counts = Counter(burst.priority for burst in heard.bursts)
    blocks: list[Block] = [
        facts(
            ("Recording", f"{heard.duration_s:.6g}{NBSP}s, channel {heard.channel}"),
            ("Compared with", f"IEC 60601-1-8:{heard.edition}, timing per public sources"),
            ("Bursts", ", ".join(f"{counts[lane]} {lane}" for lane in reversed(LANES) if counts[lane]) or "none"),
            ("First pulse", quantity(heard.bursts[0].at_s if heard.bursts else None, "s", 3)),
            ("Samples at full scale", quantity(heard.clipped_percent, "%", 2)),
        )
    ]
    if heard.bursts:
        blocks += [alarm_curve(heard), _table(heard)]
    sentences = [f"From {begin:.2f} s to {end:.2f} s it was silent." for begin, end in heard.silences_s]
    sentences += [f"At {at_s:.2f} s the alarm became more urgent: {why}." for at_s, why in heard.escalations]
    sentences += heard.remarks
    if len(heard.bursts) > MOST_ROWS:
        sentences.append(f"The table shows the first {MOST_ROWS} bursts; bursts.csv holds all {len(heard.bursts)}.")
    return [*blocks, *map(text, sentences)]


def alarm_curve(heard: AlarmNumbers) -> Curve:
    """Describe the pulses of each priority over time."""
    bars = tuple(
        marks.Bars(
            lane,
            [at for burst in heard.bursts if burst.priority == lane for at in burst.pulse_at_s],
            [end for burst in heard.bursts if burst.priority == lane for end in burst.pulse_end_s],
            [0.8 for burst in heard.bursts if burst.priority == lane for _ in burst.pulse_at_s],
            fill=marks.Fill(COLORS[lane]),
            bases=[place - 0.4 for burst in heard.bursts if burst.priority == lane for _ in burst.pulse_at_s],
        )
        for place, lane in enumerate(LANES)
        if any(burst.priority == lane for burst in heard.bursts)
    )
    shades = tuple(marks.Shade("x", begin, end) for begin, end in heard.silences_s)
    return Curve(
        name="alarm",
        title="Alarm sound",
        caption="Every pulse that was heard, by the priority of its burst; silences are shaded.",
        alt=f"{len(heard.bursts)} bursts in {heard.duration_s:.6g} s.",
        height_in=1.9,
        panels=(
            Panel(
                Axis("time since the recording began / s", 0.0, heard.duration_s),
                Axis("", -0.6, len(LANES) - 0.4, ticks=tuple((float(at), lane) for at, lane in enumerate(LANES))),
                (*shades, *bars),
            ),
        ),
    )


def _table(heard: AlarmNumbers) -> Block:
    return table(
        "Bursts.",
        ("At / s", "Priority", "Pulses", "Pulse / ms", "Step / ms", "Pitch / Hz", "To next / s", "Conforms"),
        [
            (
                f"{burst.at_s:.3f}",
                burst.priority,
                str(len(burst.pulse_at_s)),
                _ms(burst.pulse_duration_s),
                _ms(burst.spacing_s),
                f"{burst.fundamental_hz or max(burst.pitches_hz):.0f}",
                "" if burst.interburst_s is None else f"{burst.interburst_s:.2f}",
                {True: "yes", False: "no", None: ""}[burst.conforms],
            )
            for burst in heard.bursts[:MOST_ROWS]
        ],
    )


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1e3 * seconds:.0f}"


def _row(burst: AlarmBurst) -> tuple[Cell, ...]:
    return (
        burst.at_s,
        burst.source,
        burst.priority,
        len(burst.pulse_at_s),
        burst.pulse_duration_s,
        burst.spacing_s,
        burst.pause_s,
        burst.halves_pause_s,
        burst.fundamental_hz,
        burst.level_db,
        burst.interburst_s,
        {True: "yes", False: "no", None: ""}[burst.conforms],
        "; ".join(burst.faults),
        burst.confidence,
        burst.reason,
    )


def _tables(heard: AlarmNumbers) -> Tables:
    columns = (
        "at_s", "source", "priority", "pulses", "pulse_duration_s", "spacing_s", "pause_s", "halves_pause_s",
        "fundamental_hz", "level_db", "interburst_s", "conforms", "faults", "confidence", "reason",
    )  # fmt: skip
    pulses: list[tuple[Cell, ...]] = [
        (at_s, end_s, pitch_hz, burst.priority)
        for burst in heard.bursts
        for at_s, end_s, pitch_hz in zip(burst.pulse_at_s, burst.pulse_end_s, burst.pitches_hz, strict=True)
    ]
    return {
        "bursts": (columns, [_row(burst) for burst in heard.bursts]),
        "pulses": (("at_s", "end_s", "pitch_hz", "priority"), pulses),
    }


ALARM = AnalysisKind(
    _blocks,
    tables=_tables,
    method=Method(
        "Alarm sound",
        of_run="The sound is digitised and its pulses are found by their tones; the rhythm from onset to onset tells "
        "the priority (IEC 60601-1-8). What fits no rhythm stays undecided.",
        of_log="Pulses are found by their tones, each compared with its own band and with its neighbours at the same "
        "moment; the rhythm from onset to onset tells the priority (IEC 60601-1-8, timing per public sources). What "
        "fits no rhythm stays undecided. Levels are relative.",
    ),
)
