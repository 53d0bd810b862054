"""Where a reader finds what his document asks for: ISO/IEC 17025, FDA's items of a test, 21 CFR 880.5730 and Part 11.

The questions are in this project's words. Not responsible for the answers, nor a claim that they are enough.
"""

from __future__ import annotations

from reports.document import Finder, Section
from reports.parts.given import Given

ISO = "ISO/IEC 17025:2017, 7.8.2.1"
FDA = "FDA 2014, items of each test"
LABEL = "21 CFR 880.5730, label"
PART_11 = "21 CFR Part 11, 11.10"
QUESTIONS: tuple[tuple[str, str, str], ...] = (
    (ISO, "a) title", "cover"),
    (ISO, "b) laboratory and address", "cover"),
    (ISO, "c) place of the tests", "cover"),
    (ISO, "d) identification of report and pages, end", "cover"),
    (ISO, "e) customer", "cover"),
    (ISO, "f) method", "method"),
    (ISO, "g) item, its condition", "cover"),
    (ISO, "h) dates of receipt and sampling", "cover"),
    (ISO, "i) dates of the tests", "cover"),
    (ISO, "j) date of issue", "cover"),
    (ISO, "k) sampling plan and method", "cover"),
    (ISO, "l) relates to the items tested only", "cover"),
    (ISO, "m) results with their units", "results"),
    (ISO, "n) departures from the method", "method-deviations"),
    (ISO, "o) who authorises the report", "signatures"),
    (ISO, "p) results from external providers", "cover"),
    (FDA, "1 requirement, and why it is essential", "results"),
    (FDA, "2 unit under test and final device", "clinical"),
    (FDA, "3 why a prototype is enough", "clinical"),
    (FDA, "4 acceptance criteria", "results"),
    (FDA, "5 method and drawing of the apparatus", "apparatus"),
    (FDA, "6 how the set-up simulates clinical use", "clinical"),
    (FDA, "7 results", "results"),
    (FDA, "8 analysis", "decision"),
    (FDA, "9 conclusions", "summary"),
    (LABEL, "boluses by class of size", "label-boluses"),
    (LABEL, "volumes of the first hours", "label-basal"),
    (LABEL, "occlusion times", "label-occlusion"),
    (PART_11, "a) validation of the system", "validation"),
    (PART_11, "b) copies for people and programs", "electronic"),
    (PART_11, "c) protection of records", "electronic"),
    (PART_11, "d) access", "electronic"),
    (PART_11, "e) audit trail", "electronic"),
    (PART_11, "f) steps in their order", "electronic"),
    (PART_11, "g) authority to sign", "signatures"),
    (PART_11, "h) source of the readings", "equipment"),
    (PART_11, "i) who operated the system", "cover"),
    (PART_11, "j) meaning of signatures", "signatures"),
    (PART_11, "k) documentation of the system", "electronic"),
)


def finding(_: Given) -> tuple[Section, ...]:
    """List the questions; those whose section a profile leaves out are left out with it."""
    return (Section(0, "Where to find", "finding", (Finder("Where to find what is asked for", QUESTIONS),)),)
