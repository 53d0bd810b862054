"""The fixed words of a report in another language: headings, labels, heads of tables, questions, words of the renderer.

Sentences, quantities and requirements stay as the record has them. Not responsible for choosing a language.
"""

from __future__ import annotations

from dataclasses import replace

from reports.document import (
    AnyCell,
    Contents,
    Document,
    DocumentBlock,
    Facts,
    FigureList,
    Finder,
    Items,
    Paragraph,
    TableBlock,
    TextCell,
    VerdictBlock,
)

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
    "Experiments with a person on the pump": "Versuche mit einer Person an der Pumpe",
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
    "serial number": "Seriennummer",
    "not stated": "nicht angegeben",
    "not measured": "nicht gemessen",
    "not required": "nicht nötig",
    "none": "keine",
    "None.": "Keine.",
    "this pump": "diese Pumpe",
    "Electronic record (21 CFR Part 11, 11.10)": "Elektronische Aufzeichnung (21 CFR Part 11, 11.10)",
    "Copies": "Kopien",
    "Protection": "Schutz",
    "Audit trail": "Audit Trail",
    "Steps in their order": "Reihenfolge der Schritte",
    "Access, training": "Zugang, Schulung",
    "Documentation": "Dokumentation",
    "Revisions of this document; none was ever overwritten.": "Revisionen dieses Dokuments, alle erhalten.",
    "Record closed": "Aufzeichnung geschlossen",
    "By": "Durch",
    "Reason": "Grund",
    "Validity.": "Geltung.",
    "Decision rule.": "Entscheidungsregel.",
    "Verdict of this run": "Urteil dieses Laufs",
    "Verdict of this run, simulated": "Urteil dieses Laufs, simuliert",
    "Every requirement in the scope of this run is met.": "Jede Anforderung im Umfang dieses Laufs ist erfüllt.",
    "At least one requirement is not met.": "Mindestens eine Anforderung ist nicht erfüllt.",
    "About": "Worum es geht",
    "Worst": "Schlechtestes",
    "Quantity": "Größe",
    "Value ± U": "Wert ± U",
    "Limit": "Grenze",
    "Room left": "Abstand",
    "Tests": "Prüfungen",
    "Judged values": "Beurteilte Werte",
    "Time on the bench's clock": "Zeit nach der Uhr des Prüfstands",
    "Command": "Auftrag",
    "Mean error ± U": "Mittlerer Fehler ± U",
    "Rate": "Rate",
    "Pump": "Pumpe",
    "Typical time": "Typische Zeit",
    "Longest time": "Längste Zeit",
    "Most missed": "Größte Fehlmenge",
    "Most released": "Größter Nachbolus",
    "Requirement, and the hazard that it controls": "Anforderung, und welcher Gefährdung sie begegnet",
    "Value nearest to its limit, ± U; limit": "Der Grenze nächster Wert, ± U; Grenze",
    "Fault": "Fehler",
    "Provoked on this bench": "Hervorgerufen durch",
    "Judged by": "Beurteilt von",
    "Tests that the pump failed": "Prüfungen, die die Pumpe nicht bestand",
    "Tests that the rig could not finish": "Prüfungen, die der Prüfstand nicht beenden konnte",
    "Not decided": "Nicht entschieden",
    "What does not hold over the whole record of a test": "Was über die ganze Aufzeichnung einer Prüfung nicht gilt",
    "Incidents that ended no test": "Vorfälle, die keine Prüfung beendeten",
    "Other than planned": "Anders als geplant",
    "Stated by the laboratory": "Angaben des Laboratoriums",
    "Stated for this run": "Angaben zu diesem Lauf",
    "Role": "Aufgabe",
    "Instrument, serial number": "Gerät, Seriennummer",
    "Calibrated, due": "Kalibriert, fällig",
    "Certificate, laboratory": "Schein, Laboratorium",
    "Uncertainty": "Unsicherheit",
    "Reference mass": "Referenzmasse",
    "Time base": "Zeitbasis",
    "Liquid": "Flüssigkeit",
    "Evaporation of the vessel": "Verdunstung aus dem Gefäß",
    "Temperature": "Temperatur",
    "Air pressure": "Luftdruck",
    "Relative humidity": "Relative Feuchte",
    "Recorded in": "Aufgezeichnet in",
    "Conditions of use": "Bedingungen des Gebrauchs",
    "Document, edition": "Dokument, Ausgabe",
    "Used for": "Wofür",
    "Rig software": "Software des Prüfstands",
    "Self-test of this version": "Selbsttest dieser Version",
    "Installation qualification": "Installationsqualifizierung",
    "Operation qualification": "Funktionsqualifizierung",
    "Gaps": "Lücken",
    "Matrix": "Matrix",
    "Hazard": "Gefährdung",
    "FDA 2014, items of each test": "FDA 2014, Punkte je Prüfung",
    "21 CFR 880.5730, label": "21 CFR 880.5730, Kennzeichnung",
    "a) title": "a) Titel",
    "b) laboratory and address": "b) Laboratorium und Anschrift",
    "c) place of the tests": "c) Ort der Prüfungen",
    "d) identification of report and pages, end": "d) Kennung von Bericht und Seiten, Ende",
    "e) customer": "e) Auftraggeber",
    "f) method": "f) Verfahren",
    "g) item, its condition": "g) Prüfgegenstand, sein Zustand",
    "h) dates of receipt and sampling": "h) Eingang und Probenahme",
    "i) dates of the tests": "i) Zeit der Prüfungen",
    "j) date of issue": "j) Ausgabedatum",
    "k) sampling plan and method": "k) Plan und Art der Probenahme",
    "l) relates to the items tested only": "l) gilt nur für das Geprüfte",
    "m) results with their units": "m) Ergebnisse mit Einheiten",
    "n) departures from the method": "n) Abweichungen vom Verfahren",
    "o) who authorises the report": "o) wer den Bericht freigibt",
    "p) results from external providers": "p) Ergebnisse von Dritten",
    "1 requirement, and why it is essential": "1 Anforderung, und warum sie wesentlich ist",
    "2 unit under test and final device": "2 Prüfling und endgültiges Gerät",
    "3 why a prototype is enough": "3 warum ein Prototyp genügt",
    "4 acceptance criteria": "4 Annahmekriterien",
    "5 method and drawing of the apparatus": "5 Verfahren und Zeichnung des Aufbaus",
    "6 how the set-up simulates clinical use": "6 wie der Aufbau den klinischen Gebrauch nachbildet",
    "7 results": "7 Ergebnisse",
    "8 analysis": "8 Auswertung",
    "9 conclusions": "9 Schluss",
    "a) validation of the system": "a) Validierung des Systems",
    "b) copies for people and programs": "b) Kopien für Menschen und Programme",
    "c) protection of records": "c) Schutz der Aufzeichnungen",
    "d) access": "d) Zugang",
    "e) audit trail": "e) Audit Trail",
    "f) steps in their order": "f) Reihenfolge der Schritte",
    "g) authority to sign": "g) Befugnis zu unterschreiben",
    "h) source of the readings": "h) Herkunft der Messwerte",
    "i) who operated the system": "i) wer das System bediente",
    "j) meaning of signatures": "j) Bedeutung der Unterschriften",
    "k) documentation of the system": "k) Dokumentation des Systems",
    "Unit under test and final device": "Prüfling und endgültiges Gerät",
    "Why a prototype is enough": "Warum ein Prototyp genügt",
    "How the set-up simulates clinical use.": "Wie der Aufbau den klinischen Gebrauch nachbildet.",
    "Rule.": "Regel.",
    "Risk.": "Risiko.",
    "Uncertainty.": "Unsicherheit.",
    "Basal delivery.": "Basale Abgabe.",
    "Boluses.": "Boli.",
    "Occlusion.": "Verschluss.",
    "Simulation.": "Simulation.",
    "Head of the record": "Kopf der Aufzeichnung",
    "Head of the record, SHA-256": "Kopf der Aufzeichnung, SHA-256",
    "Device firmware, SHA-256": "Firmware der Pumpe, SHA-256",
    "boluses by class of size": "Boli nach Größenklassen",
    "volumes of the first hours": "Volumen der ersten Stunden",
    "occlusion times": "Zeiten bis zum Verschlussalarm",
}
"""What a German laboratory reads in place of the fixed English words."""
RENDERED = ("page", "of", "revision", "Figure", "Table", "Name", "Date", "Signature")
"""Words that a renderer writes itself."""


def in_language(words: str, language: str) -> str:
    """Write fixed words in a language; English where they are not known."""
    return GERMAN.get(words, words) if language == "de" else words


def translated(document: Document) -> Document:
    """Write the fixed words of a document in its language; what is not known stays English."""
    known = GERMAN if document.language == "de" else {}

    def say(words: str) -> str:
        return in_language(words, document.language)

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
    def say(words: str) -> str:
        return known.get(words, words)

    def cell(content: AnyCell) -> AnyCell:
        if isinstance(content, TextCell):
            return replace(content, text=say(content.text))
        return say(content) if isinstance(content, str) else content

    if isinstance(block, Facts):
        return replace(block, rows=tuple((say(name), say(value)) for name, value in block.rows))
    if isinstance(block, TableBlock):
        return replace(
            block,
            caption=say(block.caption),
            columns=tuple(replace(each, title=say(each.title)) for each in block.columns),
            rows=tuple(tuple(cell(each) for each in row) for row in block.rows),
        )
    if isinstance(block, Items):
        return replace(block, title=say(block.title), none=say(block.none))
    if isinstance(block, Paragraph):
        return replace(block, lead=say(block.lead))
    if isinstance(block, VerdictBlock):
        return replace(block, heading=say(block.heading), meaning=say(block.meaning))
    if isinstance(block, Finder):
        rows = tuple((say(of), say(question), section) for of, question, section in block.rows)
        return replace(block, title=say(block.title), rows=rows)
    if isinstance(block, Contents | FigureList):
        return replace(block, title=say(block.title))
    return block
