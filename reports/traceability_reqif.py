"""The traceability matrix as ReqIF 1.2, for a requirements database: hazards, requirements and tests, and their links.

Written and read by the library `reqif`. The same matrix gives the same bytes: identifiers are made from ids, and each
LAST-CHANGE is when the run was closed. Not responsible for what stands in the matrix (`reports.traced`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from reqif.models.reqif_core_content import ReqIFCoreContent
from reqif.models.reqif_data_type import (
    ReqIFDataTypeDefinitionEnumeration,
    ReqIFDataTypeDefinitionString,
    ReqIFEnumValue,
)
from reqif.models.reqif_namespace_info import ReqIFNamespaceInfo
from reqif.models.reqif_req_if_content import ReqIFReqIFContent
from reqif.models.reqif_reqif_header import ReqIFReqIFHeader
from reqif.models.reqif_spec_hierarchy import ReqIFSpecHierarchy
from reqif.models.reqif_spec_object import ReqIFSpecObject, SpecObjectAttribute
from reqif.models.reqif_spec_object_type import ReqIFSpecObjectType, SpecAttributeDefinition
from reqif.models.reqif_spec_relation import ReqIFSpecRelation
from reqif.models.reqif_spec_relation_type import ReqIFSpecRelationType
from reqif.models.reqif_specification import ReqIFSpecification
from reqif.models.reqif_specification_type import ReqIFSpecificationType
from reqif.models.reqif_types import SpecObjectAttributeType
from reqif.object_lookup import ReqIFObjectLookup
from reqif.reqif_bundle import ReqIFBundle
from reqif.unparser import ReqIFUnparser

from reports.marks import in_brief
from reports.traceability_table import value_in_words
from reports.traced import NOT_RUN, Matrix, TracedFile, TracedHazard, TracedRequirement, TracedTest, TraceResult
from rig.verdicts.limits import Verdict

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""LAST-CHANGE of what was never run: ReqIF wants one, and the day of writing would change the bytes."""
WORDS, VERDICTS = "words", "verdicts"
ID, NAME, TEXT, VERDICT = "ReqIF.ForeignID", "ReqIF.Name", "ReqIF.Text", "Verdict"
HAZARD, REQUIREMENT, TEST = "HAZARD", "REQUIREMENT", "TEST"
CONTROLS, VERIFIES = "Controls", "Verifies"
"""A requirement controls a hazard; a test verifies a requirement: relations lead from the one to the other."""
FIELDS: Mapping[str, tuple[str, ...]] = {
    HAZARD: (ID, TEXT, "Source", "Makers hazard", "Makers source"),
    REQUIREMENT: (ID, TEXT, VERDICT, "Reason", "Clause", "Situation", "Claims"),
    TEST: (ID, NAME, "Test", "Outcome", "Message", "Evidence"),
    CONTROLS: (),
    VERIFIES: (VERDICT, "Nearest value", "Reason", "Evidence"),
}
"""The attributes of each kind of object and of relation."""
_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST = 32_000


def reqif_of(matrix: Matrix) -> str:
    """Write the matrix as a ReqIF file."""
    when = (matrix.frame.closed_utc or UNDATED).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = ReqIFReqIFContent(
        data_types=_data_types(when),
        spec_types=_spec_types(when),
        spec_objects=_objects(matrix, when),
        spec_relations=_relations(matrix, when),
        specifications=_specifications(matrix, when),
    )
    name = _plain(matrix.frame.name)
    marks = in_brief(matrix.frame.marks)
    header = ReqIFReqIFHeader(
        identifier=identifier("matrix", name),
        comment=marks or None,
        creation_time=when,
        req_if_tool_id="insulin-pump-rig",
        req_if_version="1.0",
        source_tool_id="insulin-pump-rig",
        title=(f"{marks}: " if marks else "") + f"Traceability of {_NO_MARKUP.sub(' ', name)}",
    )
    bundle = ReqIFBundle(
        namespace_info=ReqIFNamespaceInfo.create_default(),
        req_if_header=header,
        core_content=ReqIFCoreContent(content),
        tool_extensions_tag_exists=False,
        lookup=ReqIFObjectLookup.empty(),
        exceptions=[],
    )
    return str(ReqIFUnparser.unparse(bundle))


_NO_MARKUP = re.compile(r"[<>&\"']")


def identifier(kind: str, name: str) -> str:
    """Make the identifier of an object: the same for the same id in every file; an XML name whatever the id is."""
    safe = name if _SAFE.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:24]
    return f"{kind.lower()}-{safe}"


def foreign_id(name: str) -> str:
    """Write the id of a test as requirements databases take one: other signs become _, and a hash tells such ids apart.

    Taken by strictdoc: letters, digits, and _ ( ) - / . : and spaces within.
    """
    safe = re.sub(r"[^\w()\-/.: ]", "_", name, flags=re.ASCII)
    return name if safe == name else f"{safe} {hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _plain(text: str) -> str:
    """Write text on one line, without what XML cannot hold."""
    return " ".join(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text).split())[:_MOST]


def _data_types(when: str) -> list[object]:
    words = [*(each.value for each in Verdict), NOT_RUN]
    values = [
        ReqIFEnumValue(_verdict(word), str(number), last_change=when, long_name=word)
        for number, word in enumerate(words)
    ]
    return [
        ReqIFDataTypeDefinitionString(WORDS, last_change=when, long_name="Text", max_length=str(_MOST)),
        ReqIFDataTypeDefinitionEnumeration(VERDICTS, last_change=when, long_name="Verdict", values=values),
    ]


def _verdict(word: str) -> str:
    return f"verdict-{word.replace(' ', '-')}"


def _spec_types(when: str) -> list[object]:
    objects: list[object] = [
        ReqIFSpecObjectType(
            _type(kind), last_change=when, long_name=kind, attribute_definitions=_definitions(kind, when)
        )
        for kind in (HAZARD, REQUIREMENT, TEST)
    ]
    relations: list[object] = [
        ReqIFSpecRelationType(
            _type(kind),
            last_change=when,
            long_name=kind,
            is_self_closed=not FIELDS[kind],
            attribute_definitions=_definitions(kind, when) or None,
        )
        for kind in (CONTROLS, VERIFIES)
    ]
    return [*objects, *relations, ReqIFSpecificationType(_type("list"), last_change=when, long_name="List")]


def _type(kind: str) -> str:
    return f"type-{kind.lower()}"


def _field(kind: str, name: str) -> str:
    return f"field-{kind.lower()}-{name.lower().replace(' ', '-')}"


def _definitions(kind: str, when: str) -> list[SpecAttributeDefinition]:
    return [
        SpecAttributeDefinition(
            SpecObjectAttributeType.ENUMERATION if name == VERDICT else SpecObjectAttributeType.STRING,
            _field(kind, name),
            VERDICTS if name == VERDICT else WORDS,
            last_change=when,
            long_name=name,
            multi_valued=False if name == VERDICT else None,
        )
        for name in FIELDS[kind]
    ]


def _attributes(kind: str, values: Mapping[str, str]) -> list[SpecObjectAttribute]:
    """Write the values of an object that has any."""
    found = []
    for name, value in values.items():
        if name == VERDICT:
            kind_of = SpecObjectAttributeType.ENUMERATION
            found.append(SpecObjectAttribute(kind_of, _field(kind, name), [_verdict(value)]))
        elif plain := _plain(value):
            found.append(SpecObjectAttribute(SpecObjectAttributeType.STRING, _field(kind, name), plain))
    return found


def _objects(matrix: Matrix, when: str) -> list[ReqIFSpecObject]:
    found = [(HAZARD, each.id, _of_hazard(each)) for each in matrix.hazards.values()]
    found += [(REQUIREMENT, each.id, _of_requirement(each)) for each in matrix.requirements.values()]
    found += [(TEST, each.id, _of_test(each, matrix)) for each in matrix.tests.values()]
    return [
        ReqIFSpecObject(identifier(kind, name), _attributes(kind, values), _type(kind), last_change=when)
        for kind, name, values in found
    ]


def _of_hazard(hazard: TracedHazard) -> dict[str, str]:
    return {
        ID: hazard.id,
        TEXT: hazard.text,
        "Source": hazard.source,
        "Makers hazard": "; ".join(each.id for each in hazard.makers),
        "Makers source": "; ".join(f"{each.cited}" for each in hazard.makers),
    }


def _of_requirement(requirement: TracedRequirement) -> dict[str, str]:
    return {
        ID: requirement.id,
        TEXT: requirement.text,
        VERDICT: requirement.verdict.value if requirement.verdict is not None else NOT_RUN,
        "Reason": requirement.inapplicable or requirement.reason or "",
        "Clause": requirement.clause,
        "Situation": requirement.situation,
        "Claims": "; ".join(f"{each.name} {each.value} [{each.source}]" for each in requirement.claims),
    }


def _of_test(test: TracedTest, matrix: Matrix) -> dict[str, str]:
    results = (each.results.get(test.id) for each in matrix.requirements.values())
    files = dict.fromkeys(file for each in results if each is not None for file in each.evidence)
    return {
        ID: foreign_id(test.id),
        NAME: test.title,
        "Test": test.id,
        "Outcome": test.outcome or NOT_RUN,
        "Message": test.message or "",
        "Evidence": _files(files),
    }


def _files(files: Iterable[TracedFile]) -> str:
    return "; ".join(f"{each.path} SHA-256 {each.sha256}" for each in files)


def _of_result(result: TraceResult | None) -> dict[str, str]:
    if result is None:
        return {VERDICT: NOT_RUN}
    return {
        VERDICT: result.verdict.value,
        "Nearest value": f"{result.nearest.name}: {value_in_words(result)}" if result.nearest is not None else "",
        "Reason": result.reason or "",
        "Evidence": _files(result.evidence),
    }


def _relations(matrix: Matrix, when: str) -> list[ReqIFSpecRelation]:
    found = []
    for each in matrix.requirements.values():
        own = identifier(REQUIREMENT, each.id)
        for name in each.hazards:
            found.append(_relation(CONTROLS, own, identifier(HAZARD, name), {}, when))
        for test, result in each.results.items():
            found.append(_relation(VERIFIES, identifier(TEST, test), own, _of_result(result), when))
    return found


def _relation(kind: str, source: str, target: str, values: Mapping[str, str], when: str) -> ReqIFSpecRelation:
    return ReqIFSpecRelation(
        f"{kind.lower()}-{source}-{target}",
        _type(kind),
        source,
        target,
        last_change=when,
        values=_attributes(kind, values) or None,
    )


def _specifications(matrix: Matrix, when: str) -> list[ReqIFSpecification]:
    lists: Sequence[tuple[str, str, Iterable[str]]] = (
        ("Hazards", HAZARD, matrix.hazards),
        ("Requirements", REQUIREMENT, matrix.requirements),
        ("Tests", TEST, matrix.tests),
    )
    return [
        ReqIFSpecification(
            f"list-{kind.lower()}",
            last_change=when,
            long_name=title,
            specification_type=_type("list"),
            children=[
                ReqIFSpecHierarchy(
                    identifier=f"place-{identifier(kind, name)}",
                    spec_object=identifier(kind, name),
                    level=1,
                    last_change=when,
                )
                for name in names
            ],
        )
        for title, kind, names in lists
    ]
