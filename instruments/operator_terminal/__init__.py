"""A terminal at which a person at the bench is told what to do, and confirms it: the rig's own, `rig operator`."""
