"""Do the rig's 95 % intervals hold the truth 95 times in a hundred? On the virtual bench the truth is known."""
