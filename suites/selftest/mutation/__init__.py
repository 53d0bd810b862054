"""Are mutants of the firmware made, built and told apart as they should be? Needs the compiler."""
