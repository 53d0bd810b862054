"""Do the suites bite? Every wrong pump against the requirement that it must fail."""
