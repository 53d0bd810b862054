"""Signatures of reports: keys of a laboratory, three signatures a report, what they are worth later.

Not responsible for the report (`reports`), for the record (`rig.record`), nor for what a signature obliges a person to.
"""
