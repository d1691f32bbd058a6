"""Devices: what a child process answers, how it fails, and what is said of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import devices
from engine.devices import DeviceInfo, probe, resolve
from engine.doctor import examine
from tests.conftest import environment, fake_python, message


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No answer from before, and the child imports this working tree."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    probe.cache_clear()
    yield
    probe.cache_clear()


def answering(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the child be a shell script."""
    monkeypatch.setattr(sys, "executable", fake_python(folder, script))


TORCH = """
import types
class Tensor:
    def __init__(self, device): self.device = device
    def __matmul__(self, other): return self
    def sum(self): return self
    def cpu(self): {trial}
    def __float__(self): return {result}
def ones(*shape, device): return Tensor(device)
cards = {cards}
cuda = types.SimpleNamespace(
    is_available=lambda: bool(cards),
    device_count=lambda: len(cards),
    get_arch_list=lambda: ["sm_75", "sm_80", "sm_90"],
    get_device_properties=lambda i: types.SimpleNamespace(name=cards[i][0], major=cards[i][1], minor=cards[i][2]),
    mem_get_info=lambda i: (5 * 2**30, 8 * 2**30),
)
backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: {mps}))
xpu = types.SimpleNamespace(is_available=lambda: False)
"""


def with_torch(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    cards: list[tuple[str, int, int]],
    *,
    trial: str = "return self",
    result: str = "64.0**3",
    mps: bool = False,
) -> None:
    """Let the child import a torch of our own; all of its other code is real."""
    (folder / "torch.py").write_text(TORCH.format(cards=cards, trial=trial, result=result, mps=mps))
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{environment()['PYTHONPATH']}")


def test_the_processor_is_always_there_and_needs_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert resolve("auto") == resolve("cpu") == "cpu"
    found = devices.cpu()
    assert found.usable
    assert "core" in found.title


def test_the_real_child_answers_and_imports_nothing_from_the_folder_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch.py", "json.py", "engine.py"):
        (tmp_path / name).write_text("raise SystemExit('imported by mistake')")
    monkeypatch.chdir(tmp_path)
    first, *others = probe()
    assert first.name == "cpu"
    for device in others:
        assert device.name.partition(":")[0] in ("cuda", "mps", "xpu")
        assert device.verdict


def test_two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [("NVIDIA H100", 9, 0), ("NVIDIA T4", 7, 5)])
    _, first, second = probe()
    assert (first.name, first.title, first.usable, first.capability) == ("cuda:0", "NVIDIA H100", True, "sm_90")
    assert (first.memory, first.free) == (8 * 2**30, 5 * 2**30)
    assert second.name == "cuda:1"
    assert resolve("cuda") == "cuda:0"
    assert resolve("cuda:1") == "cuda:1"
    told = message(lambda: resolve("cuda:2"))
    for word in ("cuda:2", "cpu, cuda:0, cuda:1"):
        assert word in told
    assert "8 GiB" in examine().to_text()


def test_a_card_that_this_torch_is_not_built_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = "CUDA error: no kernel image is available for execution on the device\\nCompile with ..."
    with_torch(tmp_path, monkeypatch, [("NVIDIA RTX 5090", 12, 0)], trial=f"raise RuntimeError('{error}')")
    _, card = probe()
    assert not card.usable
    told = message(lambda: resolve("cuda"))
    for word in ("NVIDIA RTX 5090", "sm_75, sm_80, sm_90", "sm_120", "pytorch.org"):
        assert word in told
    assert any("sm_120" in fix for fix in examine().fixes)


def test_a_card_that_is_broken_in_another_way_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [("A", 9, 0)], trial="raise RuntimeError('uncorrectable ECC error\\nmore')")
    told = message(lambda: resolve("cuda"))
    assert told.endswith("uncorrectable ECC error")


def test_a_card_that_computes_wrongly_is_not_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [("A", 9, 0)], result="1.0")
    assert "wrong" in message(lambda: resolve("cuda"))


def test_apples_has_no_float64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [], mps=True)
    _, gpu = probe()
    assert (gpu.name, gpu.usable, gpu.float64) == ("mps", True, False)
    assert resolve("mps") == "mps"


def test_no_driver_and_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [])
    assert [d.name for d in probe()] == ["cpu"]
    told = message(lambda: resolve("cuda"))
    assert "cuda:0" in told
    assert "usable here: cpu" in told


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1", ["does not start", "No module named"]),
        ("echo 'libcudart.so.12: cannot open shared object file' >&2; exit 1", ["libcudart.so.12"]),
        ("kill -ABRT $$", ["does not start", "no answer"]),
        ("echo '{not json'", ["does not start"]),
        ('echo \'[{"name": 1, "speed": 2}]\'', ["does not start"]),
        ("exit 0", ["no answer"]),
    ],
)
def test_a_child_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: list[str]) -> None:
    answering(tmp_path, monkeypatch, script)
    first, torch = probe()
    assert first.usable
    assert not torch.usable
    told = message(lambda: resolve("cuda"))
    for word in [*words, "cuda:0", "usable here: cpu"]:
        assert word in told
    assert any(words[-1] in fix for fix in examine().fixes)


def test_a_child_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(tmp_path, monkeypatch, "exec sleep 600")
    first, torch = probe(0.2)
    assert first.usable
    assert "nvidia-smi" in torch.verdict


def test_noise_before_the_answer_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = {"name": "cuda:0", "title": "A", "usable": True, "verdict": "usable"}
    answering(tmp_path, monkeypatch, f"echo 'a library talks'; echo '{json.dumps([card])}'; echo warning >&2")
    assert probe()[1] == DeviceInfo(**card)  # type: ignore[arg-type]


def test_an_interpreter_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    first, torch = probe()
    assert first.usable
    assert not torch.usable


@pytest.mark.cuda
def test_a_real_card_is_usable() -> None:
    if not Path("/dev/nvidiactl").exists():
        pytest.skip("there is no NVIDIA card")
    cards = [device for device in probe() if device.name.startswith("cuda")]
    assert cards[0].usable, cards[0].verdict
    assert cards[0].memory > 0
