"""What reads the document without the service: the specification's own schema, and Spectral's rules of style."""

from __future__ import annotations

from pathlib import Path

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.node import Node


def test_openapi_spec_validator(document: Path) -> None:
    assert list(OpenAPIV31SpecValidator(yaml.safe_load(document.read_text(encoding="utf-8"))).iter_errors()) == []


def test_spectral(node: Node, document: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("extends: spectral:oas\n", encoding="utf-8")
    ended = node.run(
        "node_modules/.bin/spectral", "lint", "--ruleset", str(rules), "--fail-severity=hint", str(document)
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "No results with a severity of 'hint' or higher found!")
