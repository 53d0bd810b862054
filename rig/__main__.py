"""`python -m rig`."""

from rig.cli.entry import main

main()
