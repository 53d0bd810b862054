"""`python -m rig`."""

from rig.cli.app import main

main()
