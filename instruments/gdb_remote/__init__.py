"""A debug probe at the pump's controller, reached through any server of the GDB Remote Serial Protocol."""
