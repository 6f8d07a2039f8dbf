"""docs/openapi.yaml passes the schema of the OpenAPI specification and the style rules of Spectral."""

from __future__ import annotations

from pathlib import Path

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.node import Node


def test_openapi_spec_validator_finds_no_error(document: Path) -> None:
    assert list(OpenAPIV31SpecValidator(yaml.safe_load(document.read_text(encoding="utf-8"))).iter_errors()) == []


def test_spectral_finds_no_style_violation(node: Node, document: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("extends: spectral:oas\n", encoding="utf-8")
    finished = node.run(
        "node_modules/.bin/spectral", "lint", "--ruleset", str(rules), "--fail-severity=hint", str(document)
    )
    assert (finished.returncode, finished.stdout.strip()) == (
        0,
        "No results with a severity of 'hint' or higher found!",
    )
