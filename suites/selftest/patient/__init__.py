"""Is the virtual person the one of the papers? Against numbers that other people's code gave."""
