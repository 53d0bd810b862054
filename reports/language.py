"""The fixed words of a report in another language: headings, labels of the first page, words of the renderer.

Sentences, quantities and requirements stay as the record has them. Not responsible for choosing a language.
"""

from __future__ import annotations

from dataclasses import replace

from reports.document import Contents, Document, DocumentBlock, Facts, FigureList, Finder, TableBlock

GERMAN: dict[str, str] = {
    "TEST REPORT": "PRÜFBERICHT",
    "ANNEX": "ANHANG",
    "Verification of an insulin infusion pump": "Prüfung einer Insulinpumpe",
    "Annex to a test report": "Anhang zu einem Prüfbericht",
    "Contents": "Inhalt",
    "Figures": "Abbildungen",
    "Where to find what is asked for": "Wo steht, wonach gefragt wird",
    "Summary": "Zusammenfassung",
    "Label tables (21 CFR 880.5730)": "Tabellen der Kennzeichnung (21 CFR 880.5730)",
    "Boluses by class of size": "Boli nach Größenklassen",
    "Basal volume of the first hours, without warm-up": "Basalvolumen der ersten Stunden, ohne Einlaufzeit",
    "Time to the occlusion alarm": "Zeit bis zum Verschlussalarm",
    "Results per requirement": "Ergebnisse je Anforderung",
    "Essential curves": "Wesentliche Kurven",
    "Faults": "Fehler",
    "Deviations and anomalies": "Abweichungen und Auffälligkeiten",
    "Dispositions": "Entscheidungen dazu",
    "Equipment and its calibration": "Messmittel und ihre Kalibrierung",
    "Environment": "Umgebung",
    "Method": "Verfahren",
    "Deviations from the method": "Abweichungen vom Verfahren",
    "Apparatus": "Messaufbau",
    "Unit under test and clinical use": "Prüfling und klinischer Gebrauch",
    "Decision rule and its risk": "Entscheidungsregel und ihr Risiko",
    "Tool validation and software": "Validierung und Software",
    "Traceability": "Rückverfolgbarkeit",
    "Signatures": "Unterschriften",
    "Document number": "Dokumentnummer",
    "Run": "Lauf",
    "Laboratory": "Laboratorium",
    "Accreditation": "Akkreditierung",
    "Place of the tests": "Ort der Prüfungen",
    "Customer": "Auftraggeber",
    "Bench": "Prüfstand",
    "Operator": "Bedienperson",
    "Device under test": "Prüfgegenstand",
    "Serial number": "Seriennummer",
    "Device firmware": "Firmware",
    "Condition on receipt": "Zustand bei Eingang",
    "Infusion set, lot": "Infusionsset, Charge",
    "Reservoir, lot": "Reservoir, Charge",
    "Sampling": "Probenahme",
    "Sample size": "Stichprobenumfang",
    "Received": "Eingang",
    "Run started": "Beginn der Prüfung",
    "Run ended": "Ende der Prüfung",
    "Date of issue": "Ausgabedatum",
    "Test plan": "Prüfplan",
    "Requirements": "Anforderungen",
    "Pump sheet": "Pumpenblatt",
    "Scope": "Umfang",
    "Requirement": "Anforderung",
    "Verdict": "Urteil",
    "page": "Seite",
    "of": "von",
    "revision": "Revision",
    "Figure": "Abbildung",
    "Table": "Tabelle",
    "Authored by": "Erstellt von",
    "Reviewed by": "Geprüft von",
    "Approved by": "Freigegeben von",
    "Name": "Name",
    "Date": "Datum",
    "Signature": "Unterschrift",
}
"""What a German laboratory reads in place of the fixed English words."""
RENDERED = ("page", "of", "revision", "Figure", "Table", "Name", "Date", "Signature")
"""Words that a renderer writes itself."""


def translated(document: Document) -> Document:
    """Write the fixed words of a document in its language; what is not known stays English."""
    known = GERMAN if document.language == "de" else {}

    def say(words: str) -> str:
        return known.get(words, words)

    sections = tuple(
        replace(section, title=say(section.title), blocks=tuple(_block(block, known) for block in section.blocks))
        for section in document.sections
    )
    return replace(
        document,
        title=say(document.title),
        kind=say(document.kind),
        sections=sections,
        words={each: say(each) for each in RENDERED},
    )


def _block(block: DocumentBlock, known: dict[str, str]) -> DocumentBlock:
    if isinstance(block, Facts):
        return replace(block, rows=tuple((known.get(name, name), value) for name, value in block.rows))
    if isinstance(block, TableBlock):
        return replace(
            block, columns=tuple(replace(each, title=known.get(each.title, each.title)) for each in block.columns)
        )
    if isinstance(block, Contents | FigureList | Finder):
        return replace(block, title=known.get(block.title, block.title))
    return block
