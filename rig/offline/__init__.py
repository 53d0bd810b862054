"""Balance logs that never saw this rig: read, checked, analysed as a bench run would be. Opens no instrument."""
