"""A laboratory's own folder: its name, logo, numbering, language, and what an order says; `house.toml` and logo.svg.

What is left out is printed as "not stated". Not responsible for the words of other languages (`reports.language`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from xml.etree import ElementTree

from pydantic import BaseModel, ConfigDict, Field

from rig.errors import BenchFileError
from rig.toml_files import Day, parse_toml, read_file, validated

HOUSE, LOGO = "house.toml", "logo.svg"
MOST_BYTES = 1_000_000
"""A logo is no larger: it stands in each document, and on the page as it is."""
_Words = Annotated[str, Field(pattern=r"\S", max_length=2000)]
_Line = Annotated[str, Field(pattern=r"\S", max_length=100)]
"""Words that have to fit on a line of each page."""


class _HouseTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LaboratoryTable(_HouseTable):
    """Who tested, and where."""

    name: _Line | None = None
    address: _Words | None = None
    place: _Words | None = None
    accreditation: _Words | None = None


class CustomerTable(_HouseTable):
    """For whom was tested."""

    name: _Words | None = None
    address: _Words | None = None


class OrderTable(_HouseTable):
    """What was handed in, when, how it was chosen, and how the result may be used."""

    received: Day | None = None
    condition: _Words | None = None
    sampling: _Words | None = None
    sample_size: _Words | None = None
    final_device: _Words | None = None
    prototype: _Words | None = None
    clinical_use: _Words | None = None
    deviations: _Words | None = None
    external: _Words | None = None


class PeopleTable(_HouseTable):
    """Who is going to sign, and as what."""

    authored: _Words | None = None
    reviewed: _Words | None = None
    approved: _Words | None = None


class ValidationTable(_HouseTable):
    """What the laboratory knows of the software that measured: documents and their dates."""

    self_test: _Words | None = None
    coverage: _Words | None = None
    installation: _Words | None = None
    operation: _Words | None = None


class HouseFile(_HouseTable):
    """A laboratory's own facts; `number` makes the document number, in it `{run}` is the run's name."""

    language: Literal["en", "de"] = "en"
    number: _Line = "{run}"
    laboratory: LaboratoryTable = LaboratoryTable()
    customer: CustomerTable = CustomerTable()
    order: OrderTable = OrderTable()
    people: PeopleTable = PeopleTable()
    validation: ValidationTable = ValidationTable()


class House(HouseFile):
    """Those facts, and the logo as SVG."""

    logo: str | None = None


def read_house(folder: Path) -> House:
    """Read a laboratory's folder.

    Raises:
        BenchFileError: there is no `house.toml`, a key of it is unknown or not allowed, or the logo is none; one
            sentence.
    """
    path = folder / HOUSE
    house = validated(path, parse_toml(path, read_file(path)), HouseFile)
    if "{" in house.number.replace("{run}", ""):
        raise BenchFileError(f"{path}: number is {house.number!r}: in braces it may have {{run}} alone")
    if not house.number.isprintable():
        raise BenchFileError(f"{path}: number is {house.number!r}: it has to be one line of characters that print")
    return House(**dict(house), logo=_logo(folder))


def _logo(folder: Path) -> str | None:
    """Read the logo; BenchFileError where it is no picture, or not in itself whole."""
    logo = folder / LOGO
    if not logo.exists():
        others = sorted(path.name for path in folder.glob("logo.*"))
        if others:
            raise BenchFileError(f"{folder / others[0]}: is not read; the logo is an SVG file named {LOGO}")
        return None
    content = read_file(logo)
    if len(content) > MOST_BYTES:
        raise BenchFileError(f"{logo}: has {len(content):,} bytes; allowed are {MOST_BYTES:,}")
    if b"<!ENTITY" in content:
        raise BenchFileError(f"{logo}: declares entities; allowed is an SVG that needs none")
    try:
        drawn = content.decode()
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise BenchFileError(f"{logo}: is no SVG ({error})") from error
    if root.tag.rpartition("}")[2] != "svg":
        raise BenchFileError(f"{logo}: is no SVG, its first element is {root.tag.rpartition('}')[2]}")
    for each in root.iter():
        name = str(each.tag).rpartition("}")[2]
        links = [value for key, value in each.attrib.items() if key.rpartition("}")[2] == "href"]
        if name in ("script", "foreignObject") or not all(value.startswith(("#", "data:")) for value in links):
            raise BenchFileError(f"{logo}: has a {name} that reaches out of the picture; allowed is what draws itself")
    return drawn
