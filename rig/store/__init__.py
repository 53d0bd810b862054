"""All runs in one database: what was measured, on what, by what. Derived: the records are the evidence."""
