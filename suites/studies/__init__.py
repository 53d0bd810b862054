"""Studies of the rig: coverage of its intervals, published pumps, speed."""
