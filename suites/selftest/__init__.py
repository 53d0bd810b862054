"""Does the rig tell the truth? Hardware-free."""
