"""The name of each member stands in one file: whatever else knows of it asks the registry."""

from __future__ import annotations

import pytest

from tests.engine.registry.literals import KINDS, Kind, elsewhere, missing


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_name_stands_in_one_file(kind: Kind) -> None:
    assert kind.names()
    assert elsewhere(kind) == {}
    assert missing(kind) == []


def test_a_name_in_another_file_is_found() -> None:
    path = "engine/registry/activations.py"
    names = ("activation", "there is no such literal")
    assert "engine/recipe/sections.py" in elsewhere(Kind("word", path, lambda: names))["activation"]
    assert missing(Kind("word", path, lambda: names)) == ["there is no such literal"]
    said = {"activation": {"engine/recipe/sections.py": "a label", "engine/cli.py": "nothing"}}
    assert "engine/recipe/sections.py" not in elsewhere(Kind("word", path, lambda: names[:1], said))["activation"]
    assert missing(Kind("word", path, lambda: names[:1], said)) == ["activation in engine/cli.py"]
