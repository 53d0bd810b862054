"""`rig oref0`: fetch the controller oref0 once, so that loops can call it without a network.

Not responsible for what it decides (`rig.loop.oref0`).
"""

from __future__ import annotations


def fetch_oref0() -> None:
    """Fetch the controller oref0 and all that it needs, in the versions and with the sums of its lock file.

    It goes into the user's cache; XDG_CACHE_HOME names another place. Once it is there, no network is needed.

    Exit code: 0 it is there; 3 Node.js or npm is missing, or it cannot be fetched.
    """
    from rig.cli.printing import new_console, say
    from rig.loop.oref0.package import OREF0

    say(new_console(), f"oref0 {OREF0.version}: {OREF0.fetch()}")
