"""Devices: what a child process answers, how it fails, and what is said of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import devices, doctor
from engine.devices import DeviceInfo, asking, host, probe, remedies, resolve, scope
from engine.doctor import examine
from tests.conftest import environment, fake_python, message


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No answer from before, and the child imports this working tree."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "measure", lambda _: ())  # which would train on a torch that is not one
    devices.forget()
    yield
    devices.forget()


def answering(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the child be a shell script."""
    monkeypatch.setattr(sys, "executable", fake_python(folder, script))


TORCH = """
import os, signal, time, types
float64, bfloat16, float16 = "float64", "bfloat16", "float16"
__version__ = "2.13.0+cu130"
version = types.SimpleNamespace(cuda={cuda!r})
_C = types.SimpleNamespace(_cuda_getDriverVersion=lambda: {driver})
class Tensor:
    def __init__(self, side, device, dtype):
        self.side, self.device, self.dtype = side, device, dtype
    def __matmul__(self, other): return self
    def sum(self): return self
    def cpu(self):
        if self.dtype in {lacks}: raise TypeError("this device has no such dtype")
        {trial}
    def __float__(self): return {result}
def ones(*shape, device, dtype="float32"): return Tensor(float(shape[0]), device, dtype)
cards = {cards}
def init(): raise RuntimeError({init!r})
cuda = types.SimpleNamespace(
    init=init,
    is_available=lambda: bool(cards),
    device_count=lambda: len(cards),
    get_arch_list=lambda: ["sm_75", "sm_80", "sm_90"],
    get_device_properties=lambda i: types.SimpleNamespace(
        name=cards[i][0], major=cards[i][1], minor=cards[i][2], uuid=f"0000-{{i}}", total_memory=8 * 2**30
    ),
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
    result: str = "self.side**3",
    mps: bool = False,
    lacks: tuple[str, ...] = (),
    cuda: str | None = "13.0",
    driver: int = 13000,
    init: str = "Found no NVIDIA driver on your system.",
) -> None:
    """Let the child import a torch of our own; all of its other code is real."""
    text = TORCH.format(
        cards=cards, trial=trial, result=result, mps=mps, lacks=lacks, cuda=cuda, driver=driver, init=init
    )
    (folder / "torch.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{environment()['PYTHONPATH']}")


CARDS = [("NVIDIA H100", 9, 0), ("NVIDIA T4", 7, 5)]


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
    for word in ("NVIDIA RTX 5090", "sm_75, sm_80, sm_90", "sm_120", "pip install", "pytorch.org/whl/cu130"):
        assert word in told
    assert card.remedy in told
    assert any("sm_120" in fix for fix in examine().fixes)


def test_a_card_that_is_broken_in_another_way_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [("A", 9, 0)], trial="raise RuntimeError('uncorrectable ECC error\\nmore')")
    told = message(lambda: resolve("cuda"))
    assert "uncorrectable ECC error" in told
    assert "more" not in told


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
    assert [d.name for d in probe() if d.usable] == ["cpu"]
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


def test_noise_around_the_answers_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = {"name": "cuda:0", "title": "A", "usable": True, "verdict": "usable"}
    lines = ["a library talks", "[1]", json.dumps({"trying": "cuda:0"}), json.dumps({"found": card}), '{"done": true}']
    answering(tmp_path, monkeypatch, "; ".join(f"echo '{line}'" for line in lines) + "; echo warning >&2")
    assert probe()[1:] == (DeviceInfo(**card),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        ("time.sleep(600)", ["no answer", "nvidia-smi"]),
        ("os.kill(os.getpid(), signal.SIGABRT)", ["SIGABRT"]),
        ("os._exit(3)", ["exit code 3"]),
    ],
)
def test_a_card_that_hangs_or_aborts_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trial: str, words: list[str]
) -> None:
    monkeypatch.setattr(asking, "TRIAL", 1.0)
    with_torch(tmp_path, monkeypatch, CARDS, trial=f"return self if self.device == 'cuda:1' else {trial}")
    _, first, second = probe()
    assert (first.name, first.usable, second.name, second.usable) == ("cuda:0", False, "cuda:1", True)
    told = message(lambda: resolve("cuda"))
    for word in words:
        assert word in told
    assert resolve("cuda:1") == "cuda:1"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("CUDA error: all CUDA-capable devices are busy or unavailable", ["busy", "nvidia-smi -c DEFAULT"]),
        ("CUDA out of memory. Tried to allocate 2 MiB", ["full", "5.0 of 8.0 GiB", "nvidia-smi"]),
        ("CUDA error: invalid device ordinal", ["vanished"]),
        ("Unexpected error from cudaGetDeviceCount(). Error 803: system has unsupported", ["reboot"]),
    ],
)
def test_a_card_that_cannot_be_had_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, words: list[str]
) -> None:
    with_torch(tmp_path, monkeypatch, CARDS[:1], trial=f"raise RuntimeError({error!r})")
    told = message(lambda: resolve("cuda"))
    for word in ("cuda:0", "NVIDIA H100", *words):
        assert word in told
    assert probe()[1].remedy


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ({"cuda": None, "driver": 0}, ["built without CUDA", "whl/cu130"]),
        ({"cuda": None, "driver": 12040}, ["built without CUDA", "whl/cu126"]),
        ({"init": "The NVIDIA driver on your system is too old (found version 12040)", "driver": 12040},
         ["CUDA 12.4", "needs CUDA 13.0", "580", "whl/cu126"]),
        ({}, ["no NVIDIA driver"]),
    ],
)  # fmt: skip
def test_why_there_is_no_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: dict[str, Any], words: list[str]
) -> None:
    with_torch(tmp_path, monkeypatch, [], **build)
    told = message(lambda: resolve("cuda"))
    for word in ("cuda:0", "usable here: cpu", *words):
        assert word in told


def test_cards_that_the_surroundings_hide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "unset CUDA_VISIBLE_DEVICES" in message(lambda: resolve("cuda"))


def test_a_card_by_another_number_and_a_slice_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, CARDS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert [device.note[14:20] for device in probe()[1:]] == ["GPU 2,", "GPU 3,"]
    devices.forget()
    with_torch(tmp_path, monkeypatch, [("NVIDIA A100 MIG 1g.10gb", 8, 0)])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    slice_ = probe()[1]
    assert "MIG-1234" in slice_.note
    assert slice_.usable


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CUDA_VISIBLE_DEVICES": "-1"}, ["hides every", "unset"]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, ["CUDA_VISIBLE_DEVICES=1"]),
        ({"SLURM_JOB_ID": "47", "SLURM_JOB_GPUS": "2,3"}, ["job 47", "GPUs 2,3"]),
        ({"SLURM_JOB_ID": "47", "SLURM_JOB_GPUS": "2,3", "SLURM_STEP_GPUS": "3"}, ["GPUs 3"]),
        ({"SLURM_JOB_ID": "47"}, ["no GPU", "--gres=gpu:1"]),
    ],
)
def test_what_is_said_of_the_surroundings(environment: dict[str, str], words: list[str]) -> None:
    told = " ".join(scope.remarks(environment, gpu=True))
    for word in words:
        assert word in told


def test_nothing_is_said_of_free_surroundings() -> None:
    assert scope.remarks({}, gpu=True) == ()
    assert scope.remarks({"SLURM_JOB_ID": "47"}, gpu=False) == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("", ()),
        ("-1", ()),
        ("0", ("0",)),
        ("1, 0", ("1", "0")),
        ("1,-1,0", ("1",)),
        ("MIG-a", ("MIG-a",)),
    ],
)
def test_the_cards_that_cuda_sees(text: str | None, wanted: tuple[str, ...] | None) -> None:
    assert scope.visible({} if text is None else {"CUDA_VISIBLE_DEVICES": text}) == wanted


def test_the_cores_of_a_slurm_task_and_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(host, "CGROUP", tmp_path)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    assert host.core_limit() == (64, "")
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "8")
    assert devices.available_cores() == 8
    assert "Slurm" in devices.cpu().note
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert devices.available_cores() == 2
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert devices.available_cores() == 8


def test_the_memory_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "CGROUP", tmp_path)
    total, free = devices.memory_limit()
    assert 0 < free <= total
    (tmp_path / "memory.max").write_text("300000000\n")
    (tmp_path / "memory.current").write_text("100000000\n")
    assert devices.memory_limit() == (300_000_000, 200_000_000)


@pytest.mark.parametrize(
    ("capability", "driver", "index"),
    [
        ("sm_120", 13000, "cu130"),
        ("sm_120", 12080, "cu128"),
        ("sm_61", 13000, "cu126"),
        ("sm_90", 12040, "cu126"),
        ("sm_70", 11040, "cu118"),
        ("sm_35", 12040, ""),
        ("", 0, "cu130"),
    ],
)
def test_the_build_for_a_card_under_a_driver(capability: str, driver: int, index: str) -> None:
    command = remedies.install(capability, driver)
    assert command.endswith(index)
    assert bool(command) == bool(index)


@pytest.mark.parametrize(
    ("built", "card", "serves"),
    [
        ("sm_80", "sm_86", True),
        ("sm_86", "sm_80", False),
        ("sm_90", "sm_120", False),
        ("compute_90", "sm_120", True),
        ("sm_90a", "sm_90", True),
    ],
)
def test_which_code_a_card_runs(built: str, card: str, serves: bool) -> None:
    assert remedies.serves(["sm_50", built], card) == serves


def test_number_formats_are_known_before_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_torch(tmp_path, monkeypatch, CARDS, lacks=("float64",))
    assert devices.precision_problem("cuda:0", "float64") is None  # not known yet
    _, first, second = probe()
    assert (first.float64, first.bf16, second.bf16, second.fp16) == (False, "native", "emulated", "native")
    told = devices.precision_problem("cuda:0", "float64")
    assert told is not None
    for word in ("cuda:0", "float64", "--precision float32"):
        assert word in told
    assert devices.precision_problem("cuda:1", "bf16") is None
    assert "emulated on cuda:1" in str(devices.precision_remark("cuda:1", "bf16"))
    assert devices.precision_remark("cuda:0", "bf16") is None
    assert "float32" in str(devices.precision_problem("mps", "float64"))
    assert devices.precision_problem("cpu", "float64") is None


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
