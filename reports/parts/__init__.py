"""What stands in a report, a module a section: facts of a run as blocks of a document.

Not responsible for order (`reports.profile`), for looks, nor for numbers, which the record holds.
"""
