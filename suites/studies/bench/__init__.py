"""Speed, as ratios beside named peers in the same run. Prints; asserts nothing."""
