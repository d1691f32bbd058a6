"""Nobody's file runs code: what a recipe or a run folder names is imported only where a person asked for it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import engine
from engine import modules
from engine.analysis.survey import Surveyor
from engine.base.errors import InputError, Untrusted
from engine.modules import trust
from engine.recipe import Recipe
from tests.conftest import DEADLINE, environment, facts, ravine

LOADED, BUILT = "the module was imported", "the class was made"
MINE = f"""
print("{LOADED}")
import numpy as np
import mine_helper

def load():
    x = np.linspace(-1, 1, 40)
    return {{"a": x, "b": x * x, "y": mine_helper.line(x)}}

def Net(inputs, outputs):
    from torch import nn

    class Layer(nn.Linear):
        def forward(self, x):
            import mine_late
            return super().forward(x)

    print("{BUILT}")
    return Layer(inputs, outputs)
"""
HELPER = "def line(x):\n    return 3 * x + 1\n"
HOSTILE = 'open({marker!r}, "a").write(__name__ + "\\n")\n'
DOORS = {
    "resume": ("resume", "RUN", "--steps", "60"),
    "code": ("export", "RUN", "--format", "code"),
    "train": ("train", "--recipe", "RUN", "--name", "again"),
    "train from the file": ("train", "--recipe", "RUN/recipe.toml", "--name", "again"),
}
MODELS = {  # the doors of a model of the person's own, whose table is not asked for
    "predict": ("predict", "RUN", "--values", "0.5,0.25"),
    "predict a file": ("predict", "RUN", "--input", "rows.csv"),
    "predict as JSON": ("predict", "RUN", "--values", "0.5,0.25", "--json"),
}
HARMLESS = {  # what needs no code, and works without
    "csv": ("export", "RUN", "--format", "csv"),
    "wide-csv": ("export", "RUN", "--format", "wide-csv"),
    "safetensors": ("export", "RUN", "--format", "safetensors", "-o", "x.safetensors"),
    "report": ("export", "RUN", "--format", "report"),
    "list": ("runs", "--json"),
    "watch": ("watch", "runs", "--json"),
}


@dataclass
class Place:
    """A folder where somebody stands, with a state folder of its own."""

    folder: Path

    def ravine(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, standing there."""
        return ravine("", *words, cwd=self.folder, XDG_STATE_HOME=str(self.state))

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def record(self) -> Path:
        return self.state / "ravine" / "trusted.json"

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    def stranger(self) -> None:
        """Forget what was run: the run folder is somebody else's now."""
        shutil.rmtree(self.state)

    def edit(self, old: str, new: str, run: str = "runs/a") -> None:
        """Change what the recipe of a run names."""
        for path in (self.folder / run / "recipe.toml", self.folder / run / "run.json"):
            path.write_text(path.read_text().replace(old, new))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path)
    found.write(mine=MINE, mine_helper=HELPER, mine_late="")
    (tmp_path / "rows.csv").write_text("a,b\n0.5,0.25\n")
    return found


def _moved(source: Path, place: Place) -> Place:
    """A place where everything is as if it had been done there."""
    shutil.copytree(source, place.folder, dirs_exist_ok=True)
    for path in (place.record, place.folder / "runs/a/run.json"):
        path.write_text(path.read_text().replace(str(source.resolve()), str(place.folder.resolve())))
    return place


def _trained(folder: Path, *words: str) -> Path:
    found = Place(folder)
    found.write(mine=MINE, mine_helper=HELPER, mine_late="")
    done = found.ravine("train", "mine:load", "--target", "y", "--steps", "30", "--name", "a", "--test", "0.2", *words)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def _line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _trained(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="module")
def _class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _trained(tmp_path_factory.mktemp("class"), "--model", "mine:Net")


@pytest.fixture
def trained(place: Place, _line: Path) -> Place:
    """A run of a table of the person's own, which was made here."""
    return _moved(_line, place)


@pytest.fixture
def classy(place: Place, _class: Path) -> Place:
    """A run of a table and a model of the person's own, which was made here."""
    return _moved(_class, place)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It says in one sentence that it runs nothing, and has run nothing."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    assert LOADED not in done.stdout
    assert BUILT not in done.stdout
    for word in ("--trust", *words):
        assert word in done.stderr


def door(words: tuple[str, ...], run: str = "runs/a") -> tuple[str, ...]:
    return tuple(word.replace("RUN", run) for word in words)


def test_what_a_person_names_runs_and_is_recorded_for_them_alone(classy: Place) -> None:
    trained = classy
    assert stat.S_IMODE(trained.record.stat().st_mode) == 0o600
    found = json.loads(trained.record.read_text())["trusted"]
    assert {Path(file).name for file in found} == {"mine.py", "mine_helper.py", "mine_late.py"}
    told = {one["name"]: one for one in facts(trained.folder / "runs/a")["modules"]}
    assert set(told) == {"mine", "mine_helper", "mine_late"}
    for name, one in told.items():
        assert one["file"] == str((trained.folder / f"{name}.py").resolve())
        assert list(found[one["file"]]) == [one["sha256"]]


@pytest.mark.parametrize("name", DOORS)
def test_a_run_of_somebody_else_runs_nothing_until_it_is_trusted(name: str, trained: Place) -> None:
    words = door(DOORS[name])
    assert trained.ravine(*words).returncode == 0  # made here
    trained.stranger()
    words = tuple(word.replace("again", "once_more").replace("60", "90") for word in words)
    refused(trained.ravine(*words), "mine")
    assert not trained.record.exists()
    done = trained.ravine(*words, "--trust")
    assert done.returncode == 0, done.stderr
    words = tuple(word.replace("once_more", "at_last").replace("90", "99") for word in words)
    assert trained.ravine(*words).returncode == 0  # it is not asked again


def test_a_class_of_somebody_else_runs_nothing_until_it_is_trusted(classy: Place) -> None:
    assert classy.ravine(*door(MODELS["predict"])).returncode == 0  # made here
    classy.stranger()
    for words in (*MODELS.values(), *DOORS.values()):
        refused(classy.ravine(*door(words)), "mine")
    assert not classy.record.exists()
    for words in (MODELS["predict a file"], DOORS["resume"]):
        done = classy.ravine(*door(words), "--trust")
        assert done.returncode == 0, done.stderr
        classy.stranger()


@pytest.mark.parametrize("name", HARMLESS)
def test_what_needs_no_code_needs_no_trust(name: str, trained: Place) -> None:
    trained.stranger()
    done = trained.ravine(*door(HARMLESS[name]))
    assert done.returncode == 0, done.stderr
    assert LOADED not in done.stdout


@pytest.mark.parametrize(
    "named", ["os:abort", "sys:exit", "os:getcwd", "antigravity:geohash", "planted:go", "there.is:no"]
)
def test_no_door_imports_what_a_foreign_run_names(named: str, trained: Place) -> None:
    marker = trained.folder / "PWNED"
    trained.write(planted=HOSTILE.format(marker=str(marker)))
    trained.edit("mine:load", named)
    for name, words in DOORS.items():
        done = trained.ravine(*door(words))
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") <= 1, done.stderr
        assert not marker.exists(), name
    if named != "os:abort":
        done = trained.ravine("train", "--recipe", "runs/a", "--trust")
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert marker.exists() == (named == "planted:go")


def test_a_function_of_a_known_file_that_was_never_asked_for_is_asked_about(trained: Place) -> None:
    trained.write(mine=MINE + "\ndef wipe():\n    raise SystemExit(7)\n")
    assert trained.ravine("train", "mine:load", "--target", "y", "--steps", "5", "--name", "b").returncode == 0
    trained.edit("mine:load", "mine:wipe", "runs/b")
    refused(trained.ravine("train", "--recipe", "runs/b"), "mine:wipe")


def test_a_class_in_the_weights_is_no_other_way_in(classy: Place) -> None:
    model = classy.folder / "runs/a/model.safetensors"
    content = model.read_bytes()
    assert content.count(b"mine:Net") == 1
    model.write_bytes(content.replace(b"mine:Net", b"os:abort"))
    for words in MODELS.values():
        refused(classy.ravine(*door(words)), "os:abort")


def test_a_file_that_has_changed_is_told_and_runs_when_it_is_trusted(trained: Place) -> None:
    trained.write(mine_helper=HELPER + "# another line\n")
    for name in ("resume", "code", "train"):
        refused(trained.ravine(*door(DOORS[name])), "mine_helper.py has changed since the run a")
    done = trained.ravine("resume", "runs/a", "--steps", "40", "--trust")
    assert done.returncode == 0, done.stderr
    assert "mine_helper.py has changed" in done.stderr
    assert "mine_helper.py has changed" in (trained.folder / "runs/a/log.txt").read_text()
    assert trained.ravine("resume", "runs/a", "--steps", "50").returncode == 0


def test_a_change_that_was_accepted_is_not_asked_about_again(trained: Place) -> None:
    trained.write(mine=MINE + "# another line\n")
    words = door(DOORS["code"])
    refused(trained.ravine(*words), "mine.py has changed")
    assert trained.ravine(*words, "--trust").returncode == 0
    assert trained.ravine(*words).returncode == 0
    trained.write(mine=MINE + "# and another\n")
    refused(trained.ravine(*words), "mine.py has changed")


def test_a_person_who_names_it_need_not_trust_what_they_have_changed(trained: Place) -> None:
    trained.write(mine=MINE + "# another line\n")
    done = trained.ravine("train", "mine:load", "--target", "y", "--steps", "5")
    assert done.returncode == 0, done.stderr


def test_a_module_that_is_gone_is_told(trained: Place) -> None:
    (trained.folder / "mine_helper.py").unlink()
    refused(trained.ravine(*door(DOORS["code"])), "mine_helper has changed")


def test_a_run_folder_cannot_claim_that_it_was_made_here(trained: Place) -> None:
    content = (trained.folder / "mine.py").read_text()
    trained.stranger()
    for one in facts(trained.folder / "runs/a")["modules"]:  # host, path and hash are all as they would be
        assert Path(one["file"]).exists()
    refused(trained.ravine(*door(DOORS["resume"])), "mine")
    assert (trained.folder / "mine.py").read_text() == content


def test_the_same_file_elsewhere_is_asked_about(trained: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Place(tmp_path_factory.mktemp("elsewhere"))
    for name in ("mine.py", "mine_helper.py", "mine_late.py"):
        shutil.copy(trained.folder / name, other.folder / name)
    shutil.copytree(trained.folder / "runs", other.folder / "runs")
    shutil.copytree(trained.state, other.state)
    refused(other.ravine(*door(DOORS["resume"])), "mine")


def test_a_file_beside_shadows_no_module_that_is_installed(classy: Place) -> None:
    marker = classy.folder / "PWNED"
    for name in ("torch", "numpy", "polars", "safetensors", "json", "typing_extensions", "onnx", "numba", "sympy"):
        classy.write(**{name: HOSTILE.format(marker=str(marker))})
    for words in (DOORS["resume"], DOORS["code"], MODELS["predict"]):
        assert classy.ravine(*(word.replace("code", "report") for word in door(words))).returncode == 0
    again = ("train", "mine:load", "--target", "y", "--model", "mine:Net", "--steps", "5")
    assert classy.ravine(*again).returncode == 0
    assert not marker.exists()


@pytest.mark.parametrize("door_", ["resume", "code"])
def test_a_planted_file_that_a_known_module_would_import_now_is_refused(door_: str, trained: Place) -> None:
    trained.write(
        mine=MINE.replace(
            "import mine_helper", "import mine_helper\ntry:\n    import extra\nexcept ImportError:\n    extra = None"
        )
    )
    words = ("train", "mine:load", "--target", "y", "--steps", "30", "--name", "b")
    assert trained.ravine(*words).returncode == 0
    marker = trained.folder / "PWNED"
    trained.write(extra=HOSTILE.format(marker=str(marker)))
    done = trained.ravine(*door(DOORS[door_], "runs/b"))
    assert not marker.exists()
    assert done.returncode == 2
    assert "extra.py" in done.stderr
    assert trained.ravine(*door(DOORS[door_], "runs/b"), "--trust").returncode == 0
    assert marker.exists()


def test_a_cache_of_bytecode_does_not_stand_in_for_the_source(classy: Place) -> None:
    import importlib.util
    import py_compile

    marker = classy.folder / "PWNED"
    evil = classy.folder / "evil.py"
    evil.write_text(HOSTILE.format(marker=str(marker)) + HELPER)
    cache = importlib.util.cache_from_source(str(classy.folder / "mine_helper.py"))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(evil), cfile=cache, invalidation_mode=mode, doraise=True)
    assert classy.ravine(*door(DOORS["resume"])).returncode == 0
    assert not marker.exists()


def test_packages_and_their_parts_are_followed(place: Place) -> None:
    package = place.folder / "ours" / "inner"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from . import part\n")
    (package / "part.py").write_text("def load():\n    return {'x': [1.0, 2, 3, 4, 5, 6], 'y': [1.0, 2, 3, 4, 5, 7]}\n")
    words = ("train", "ours.inner.part:load", "--target", "y", "--steps", "5", "--name", "p")
    assert place.ravine(*words).returncode == 0
    told = {one["name"] for one in facts(place.folder / "runs/p")["modules"]}
    assert told == {"ours", "ours.inner", "ours.inner.part"}
    assert place.ravine("resume", "p", "--steps", "9").returncode == 0
    (package / "__init__.py").write_text("from . import part\nimport os\n")
    refused(place.ravine("resume", "p", "--steps", "11"), "__init__.py has changed")


def test_a_run_without_a_record_of_its_modules_opens_once_it_is_trusted(trained: Place) -> None:
    run = trained.folder / "runs/a"
    old = facts(run)
    del old["modules"]
    (run / "run.json").write_text(json.dumps(old))
    assert trained.ravine(*door(DOORS["resume"])).returncode == 0  # the file is one that was run here
    (run / "run.json").write_text(json.dumps(old))
    trained.stranger()
    refused(trained.ravine(*door(DOORS["code"])), "mine")


@pytest.mark.parametrize("claim", ["x", 3, [3], [{}], [{"name": 3}], [{"name": "../x", "sha256": "y"}], {"a": 1}, None])
def test_what_a_run_claims_of_its_modules_may_be_anything(claim: object, trained: Place) -> None:
    run = trained.folder / "runs/a"
    (run / "run.json").write_text(json.dumps(facts(run) | {"modules": claim}))
    assert trained.ravine(*door(DOORS["code"])).returncode == 0


@pytest.mark.parametrize(
    "damage", ["", "[]", "{", '{"format": 2, "trusted": {}}', '{"format": 1, "trusted": [3]}', "nobody else"]
)
def test_a_record_that_is_damaged_or_open_to_others_trusts_nothing(damage: str, trained: Place) -> None:
    if damage == "nobody else":
        trained.record.chmod(0o622)
    else:
        trained.record.write_text(damage)
    refused(trained.ravine(*door(DOORS["code"])), "mine")


def test_a_record_that_is_a_pipe_does_not_hang(trained: Place) -> None:
    trained.record.unlink()
    os.mkfifo(trained.record)
    refused(trained.ravine(*door(DOORS["code"])), "mine")


def test_a_preset_of_ones_own_is_a_file_too(place: Place) -> None:
    config = place.folder / "config"
    (config / "ravine/recipes").mkdir(parents=True)
    (config / "ravine/recipes/mine.toml").write_text('[data]\ndataset = "mine:load"\n')
    words = ("train", "--preset", "mine", "--steps", "5", "--target", "y")
    options = {"XDG_STATE_HOME": str(place.state), "XDG_CONFIG_HOME": str(config)}
    refused(ravine("", *words, cwd=place.folder, **options), "mine:load")
    assert ravine("", *words, "--trust", cwd=place.folder, **options).returncode == 0


def test_python_says_so_in_one_error(classy: Place) -> None:
    script = "import sys, engine\nprint(engine.load('runs/a', **eval(sys.argv[1])).predict([{'a': 0.5, 'b': 0.25}])[0])"

    def python(options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script, options], cwd=classy.folder, capture_output=True, text=True,
            env=environment(XDG_STATE_HOME=str(classy.state)), timeout=DEADLINE,
        )  # fmt: skip

    known = python("{}")
    assert known.returncode == 0, known.stderr
    classy.stranger()
    done = python("{}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("engine.base.errors.Untrusted: mine:Net runs code of ")
    assert LOADED not in done.stdout
    assert python("{'trust': True}").stdout == known.stdout
    assert python("{}").stdout == known.stdout


def test_a_survey_and_a_run_folder_do_not_import(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(place.state))
    chosen = Recipe().replace({"dataset": "mine:another", "target": "y"})
    with pytest.raises(Untrusted) as caught:
        Surveyor().survey(chosen)
    assert caught.value.names == ("mine:another",)
    assert caught.value.files == (str((place.folder / "mine.py").resolve()),)
    assert "mine" not in sys.modules
    chosen = Recipe().replace({"model": "os:abort"})
    with pytest.raises(Untrusted):
        Surveyor().survey(chosen)


def test_confirming_holds_for_that_file_and_name(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(place.state))
    place.write(confirmed="def load():\n    return 3\n")
    with trust.scope():
        with pytest.raises(Untrusted) as caught:
            modules.check("confirmed:load")
        trust.confirm(caught.value)
        modules.check("confirmed:load")
    modules.check("confirmed:load")  # in another process too
    with pytest.raises(Untrusted):
        modules.check("confirmed:other")
    place.write(confirmed="def load():\n    return 4\n")
    with pytest.raises(Untrusted):
        modules.check("confirmed:load")


def test_load_asks_before_it_imports(classy: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(classy.folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(classy.folder / "another"))
    classy.edit("mine:Net", "mine:Net")
    with pytest.raises(InputError) as caught:
        engine.load("runs/a")
    assert isinstance(caught.value, Untrusted)
    assert "mine" not in sys.modules


def test_there_is_one_way_to_import_what_is_not_written_in_the_program() -> None:
    ways = {"import_module", "__import__", "exec", "eval", "run_path", "run_module", "exec_module", "load_module"}
    allowed = {
        "engine/modules/gate.py": {"import_module"},
        "engine/base/children.py": {"run_module"},  # our own, in a child
        "tui/app/app.py": {"import_module"},  # our own, by name
        "tui/charts/views/base.py": {"import_module"},  # the pane that a record of a view names
        "engine/data/builtins.py": {"import_module"},  # the maker that a record of a dataset names
        "engine/learn/kernels/loops/generated.py": {"exec_module"},  # our own, which the same file has just written
    }
    root = Path(engine.__file__).parents[1]
    for path in sorted([*root.glob("engine/**/*.py"), *root.glob("tui/**/*.py")]):
        place = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                own = isinstance(called, ast.Attribute) and name in ("eval", "exec")  # a method, such as nn.Module.eval
                assert name not in ways or own or name in allowed.get(place, set()), f"{place}:{node.lineno}"


def test_a_file_that_is_called_like_a_function_asks_for_no_module(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    (place.folder / "os:abort").write_text("a,y\n1,2\n3,4\n5,6\n")
    with trust.scope():
        trust.ask_table("os:abort")
        assert not trust.asked("os:abort")
        trust.ask_table("os:getcwd")
        assert trust.asked("os:getcwd")
    assert place.ravine("train", "os:abort", "--target", "y", "--steps", "3").returncode == 0


@pytest.mark.parametrize(
    "name", ["os", "", ":", "os:", ":abort", "../os:abort", "os.:abort", "a b:c", "os:abort()", "os\x00:x"]
)
def test_what_is_no_module_and_name_is_not_looked_for(name: str) -> None:
    modules.check(name)
    with pytest.raises((ModuleNotFoundError, Untrusted)):
        modules.fetch(name)
