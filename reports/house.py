"""A laboratory's own folder: its name, logo, numbering, language, and what an order says; `house.toml` and logo.svg.

What is left out is printed as "not stated". Not responsible for the words of other languages (`reports.language`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rig.errors import BenchFileError
from rig.toml_files import Day, parse_toml, read_file, validated

HOUSE, LOGO = "house.toml", "logo.svg"
_Words = Annotated[str, Field(pattern=r"\S", max_length=2000)]


class _HouseTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LaboratoryTable(_HouseTable):
    """Who tested, and where."""

    name: _Words | None = None
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


class House(_HouseTable):
    """A laboratory's own facts; `number` makes the document number, in it `{run}` is the run's name."""

    language: Literal["en", "de"] = "en"
    number: _Words = "{run}"
    laboratory: LaboratoryTable = LaboratoryTable()
    customer: CustomerTable = CustomerTable()
    order: OrderTable = OrderTable()
    people: PeopleTable = PeopleTable()
    validation: ValidationTable = ValidationTable()
    logo: str | None = Field(default=None, exclude=True)


def read_house(folder: Path) -> House:
    """Read a laboratory's folder.

    Raises:
        BenchFileError: there is no `house.toml`, or a key of it is unknown or not allowed; one sentence.
    """
    path = folder / HOUSE
    house = validated(path, parse_toml(path, read_file(path)), House)
    if house.logo is not None:
        raise BenchFileError(f"{path}: logo is no key: the logo is the file {folder / LOGO}")
    if "{" in house.number.replace("{run}", ""):
        raise BenchFileError(f"{path}: number is {house.number!r}: in braces it may have {{run}} alone")
    logo = folder / LOGO
    if not logo.is_file():
        return house
    drawn = read_file(logo).decode(errors="replace")
    if "<svg" not in drawn:
        raise BenchFileError(f"{logo}: is no SVG")
    return house.model_copy(update={"logo": drawn})
