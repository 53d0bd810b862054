"""Two rigs behind one labgrid coordinator: `tox run -e labgrid`, where labgrid has an environment of its own."""
