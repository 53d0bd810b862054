"""The error tree. Each error is one sentence: what was asked, of whom, what came back, what to look at.

Not responsible for verdicts: no error here ever counts as a failure of the pump.
"""

from __future__ import annotations

from enum import Enum


class RigError(Exception):
    """The rig, not the pump, could not do what was asked."""


class BenchFileError(RigError):
    """A bench file, requirements file or command-line setting is wrong: file, key, what was found, what is allowed."""


class DataFileError(RigError):
    """A log that was handed in cannot be analysed as asked: file, row, column, what was found, what is allowed."""


class DriverError(RigError):
    """The code of a device, its driver or its twin, broke off: which, what was asked, the exception, where to look."""


class BlockedError(RigError):
    """A run may not start: calibration overdue, environment outside its band, a gate not passed."""


class EvidenceError(RigError):
    """The run record cannot be written or read back."""


class DeviceError(RigError):
    """Something on the far side of a wire did not do what was asked.

    Attributes:
        asked: what was sent or wanted.
        of_whom: the device's role, model and address.
        came_back: what it answered.
        look_at: what to check first.
    """

    def __init__(self, *, asked: str, of_whom: str, came_back: str, look_at: str) -> None:
        super().__init__(f"{of_whom}, at {asked}: {came_back}; {look_at}")
        self.asked = asked
        self.of_whom = of_whom
        self.came_back = came_back
        self.look_at = look_at


class NoReplyError(DeviceError):
    """The device stayed silent until its time-out."""


class BadReplyError(DeviceError):
    """The device answered something that its protocol does not allow."""


class WhyRefused(Enum):
    """Why a device said no, as far as its protocol has words for it."""

    OUT_OF_RANGE = "out of range"
    NOT_NOW = "not applicable now"
    TOO_MANY = "too many"
    OTHER = "other"


class RefusedError(DeviceError):
    """The device understood and said no.

    Attributes:
        refusal: why, in the words that all drivers share.
    """

    def __init__(
        self, *, asked: str, of_whom: str, came_back: str, look_at: str, refusal: WhyRefused = WhyRefused.OTHER
    ) -> None:
        super().__init__(asked=asked, of_whom=of_whom, came_back=came_back, look_at=look_at)
        self.refusal = refusal


class NotConnectedError(DeviceError):
    """The port or resource could not be opened, or was lost."""


class WrongIdentityError(DeviceError):
    """Another device than the bench file names is on this address."""


class UnableError(DeviceError):
    """The device cannot do what was asked of it, whatever its state: another one may."""

    def __init__(self, *, asked: str, of_whom: str) -> None:
        super().__init__(
            asked=asked,
            of_whom=of_whom,
            came_back="this is beyond its capabilities",
            look_at="ask for its capabilities first",
        )
