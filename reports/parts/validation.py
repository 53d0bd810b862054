"""What is known of the tool: which software measured, how it was tried, and by which ids that is found again.

Not responsible for trying it (`rig prove`, the self-test, the coverage study).
"""

from __future__ import annotations

from reports.document import Facts, Paragraph, Section
from reports.parts.electronic import electronic
from reports.parts.given import Given, stated_or_not
from reports.proof import proof
from rig.record.seal import head_of

SOFTWARE = "insulin-pump-rig"


def validation(given: Given) -> tuple[Section, ...]:
    """State software, firmware and what stands behind them."""
    manifest, house = given.run.manifest, given.house.validation
    software = manifest.software
    own = f"{SOFTWARE} {manifest.versions.get(SOFTWARE, '(version not recorded)')}"
    code = f", SHA-256 of its files {software.sha256[:16]}…" if software is not None else ""
    found = proof(given.run)
    proved = f"{found['summary']} {' '.join(found['differs'])}".strip() if found is not None else None
    qualification = getattr(manifest, "qualification", None)
    head = head_of(given.run.folder)
    return (
        Section(
            1,
            "Tool validation and software",
            "validation",
            (
                Facts(
                    (
                        ("Rig software", f"{own}, revision {manifest.commit or 'not recorded'}{code}"),
                        ("Self-test of this version", stated_or_not(house.self_test)),
                        ("Coverage study of its intervals", stated_or_not(house.coverage)),
                        ("Wrong pumps that it finds (rig prove)", stated_or_not(proved)),
                        ("Installation qualification", stated_or_not(house.installation or qualification)),
                        ("Operation qualification", stated_or_not(house.operation or qualification)),
                        ("Device firmware, SHA-256", manifest.firmware_sha256 or "not recorded"),
                        ("Head of the record, SHA-256", head or "none: the record was never closed"),
                    )
                ),
                Paragraph(
                    "Versions of all packages, hashes of every input and file, and the claims of the pump sheet stand "
                    "in the annex.",
                    about=True,
                ),
            ),
        ),
        electronic(given),
    )
