"""Every sentence that a person reads is data: one template with named fields, in the catalogue of its room."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.base.sentence import Phrase, Sentence, Title

ROOT = Path(__file__).parents[1]

# Files whose texts are no sentences of ours, and why.
APART = {
    "engine/base/sentence.py": "the formatter, which has the words that lists and numbers take",
    "tui/app/module_search.py": "speaks before it is known whether the engine, and so a catalogue, is there",
    "engine/recipe/needs.py": "records: each need holds why it is not met",
    "engine/recipe/sections.py": "records: each field of a recipe holds its own help",
    "engine/registry": "records: each member holds its own label and help",
    "tui/registry": "records: each member holds its own label and help",
    "engine/learn/shapes.py": "a notation of operations and the shapes of their arrays",
    "engine/learn/kernels/loops": "text of generated loops",
    "engine/runs/code": "text of generated programs",
    "engine/runs/formats.py": "records: each format holds its own words",
    "tui/keys/table.py": "records: each key holds its own words",
}

# Literals that are words of others, or no words at all.
FOREIGN = {
    # of file formats and generated code
    "Wall time,Step,Value\n", "Wall time", "probability of *", "return *", "* ticks", "<model *: * -> *>",
    "def rows(outputs, target):", "def outputs(x):", "def predict(row):", "def outputs(x):\n",
    '"""What the model gives for normalized columns."""',
    # of the system and of drivers
    "CUDA *", "No such file or directory", "Not a plain file", "out of memory", "can't allocate memory",
    "cannot allocate memory", "not enough memory", "buffer size too big",
    # names of random streams, which the numbers hang on
    "initial parameters", "generators of the process",
    # classes of style sheets
    "pane chart", "pane views", "pane weights", "pane panel",
}  # fmt: skip
COMMANDS = ("pip ", "sudo ", "unset ")  # a line for the shell

# Words that no sentence says, and what it says instead.
PLAIN = {
    r"\b(is|are|was|were) told\b": "reported",
    r"\btold of\b": "reported",
    r"left out as you asked": "dropped by you",
    r"\bassess": "evaluate",
    r"\bfigures\b": "metrics",
    r"what was found": "column report",
    r"nothing to mend": "no problems found",
    r"\bcards?\b": "GPU",
    r"\bamounts\b": "regression targets",
    r"\bchances?\b": "probability",
    r"\bkept in\b": "saved to",
    r"as good as a linear model can be": "converged to the optimum",
    r"more steps will hardly help": "validation has plateaued",
    r"\bcut short\b": "interrupted",
    r"class shares alone": "baseline (class priors)",
    r"mean alone": "baseline (mean)",
    r"how it stands": "status",
    r"\bgo(es)? on with\b": "resume",
    r"other programs": "export",
}

WORDS = re.compile(
    r"[A-Za-z]{2,}[,:;]? [A-Za-z]{2,}|[A-Za-z]{3,}[,:;]? \*|\* [A-Za-z]{3,}"
)  # a text for people; a value is a *
PROGRAMMING = {"ValueError", "TypeError", "AssertionError", "KeyError", "RuntimeError", "NotImplementedError"}
RECORDS = {"Format", "Column", "Field"}  # which hold their own words, as those of the files under APART
SAYING = {"say", "ask", "notify"}  # functions and methods that show their first argument to a person


def rooms() -> list[str]:
    """The rooms of both packages, and the files that stand in none."""
    return sorted(
        f"{package}/{place.name}"
        for package in ("engine", "tui")
        for place in (ROOT / package).iterdir()
        if (place.is_dir() and (place / "__init__.py").exists())
        or (place.suffix == ".py" and place.name != "__init__.py")
    )


def files(room: str) -> list[Path]:
    """The files of a room that may speak."""
    place = ROOT / room
    found = [place] if place.is_file() else sorted(place.rglob("*.py"))
    return [path for path in found if path.name != "sentences.py"]


def name_of(path: Path) -> str:
    """A file from the root on."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


@cache
def catalogues() -> dict[str, dict[str, Sentence]]:
    """Every catalogue: its sentences by the names of their constants."""
    found = {}
    for path in sorted([*(ROOT / "engine").rglob("sentences.py"), *(ROOT / "tui").rglob("sentences.py")]):
        module = name_of(path).removesuffix(".py").replace("/", ".")
        names = vars(importlib.import_module(module))
        found[module] = {name: value for name, value in names.items() if isinstance(value, Sentence)}
    return found


def sentences() -> list[tuple[str, Sentence]]:
    """Every sentence, with the place where it stands."""
    return [(f"{module}.{name}", value) for module, held in catalogues().items() for name, value in held.items()]


def test_a_catalogue_gives_every_sentence_an_id_of_its_own() -> None:
    """Ids are what translations hold on to."""
    times = Counter(sentence.id for _, sentence in sentences())
    assert times, "no catalogue was found"
    assert not [place for place, sentence in sentences() if not sentence.id], "a catalogue ends without entitle()"
    assert not [one for one, count in times.items() if count > 1]
    for place, sentence in sentences():
        room, _, name = place.removeprefix("engine.").rpartition(".")
        assert sentence.id == f"{room.removesuffix('.sentences')}.{name.lower()}"


def test_a_catalogue_is_nothing_but_literals() -> None:
    """One template for one sentence: nothing is computed, joined or nested."""
    for module in catalogues():
        path = ROOT / (module.replace(".", "/") + ".py")
        for one in tree_of(path).body[1:]:
            if isinstance(one, ast.ImportFrom) or ast.unparse(one) == "entitle(globals())":
                continue
            assert isinstance(one, ast.Assign), f"{module}, line {one.lineno}"
            assert isinstance(one.value, ast.Call), f"{module}, line {one.lineno}"
            (template,) = one.value.args
            assert isinstance(template, ast.Constant), f"{module}, line {one.lineno}"


def test_sentences_are_whole_and_plain() -> None:
    """A sentence ends as one, a phrase and a title do not; none uses a word that has a plainer one."""
    wrong = []
    for place, sentence in sentences():
        text = sentence.template.rstrip()
        if isinstance(sentence, Phrase | Title):
            if text.endswith(".") and not text.endswith("..."):
                wrong.append(f"{place} is a {type(sentence).__name__} and ends with a full stop")
        elif not text.endswith((".", "?", "…")) and not re.search(r"\{\w+(:if .*)?\}$", text):
            wrong.append(f"{place} ends without a full stop: {text}")
        for word, plain in PLAIN.items():
            if re.search(word, text, re.IGNORECASE):
                wrong.append(f"{place} says {word}; say {plain}")
    assert not wrong, "\n".join(wrong)


def test_records_are_plain_too() -> None:
    """The help and the labels of fields, members and keys use the same words as sentences."""
    wrong = []
    for place in (place for place, why in APART.items() if why.startswith("records")):
        found = ROOT / place
        for path in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
            tree = tree_of(path)
            skipped = _skipped(tree)
            for node in ast.walk(tree):
                text = _text(node)
                if text and node not in skipped and WORDS.search(text):
                    wrong += [f"{name_of(path)}: {text}" for word in PLAIN if re.search(word, text, re.IGNORECASE)]
    assert not wrong, "\n".join(wrong)


class Uses(ast.NodeVisitor):
    """The sentences that a file names, and calls that do not fit."""

    def __init__(self, path: Path) -> None:
        self.path, self.modules = path, dict[str, str]()
        self.used, self.wrong = set[tuple[str, str]](), list[str]()
        tree = tree_of(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    module = f"{node.module}.{alias.name}"
                    if module in catalogues():
                        self.modules[alias.asname or alias.name] = module
                    if node.module in catalogues():
                        self.wrong.append(f"{name_of(path)}, line {node.lineno}: import the catalogue, not from it")
        self.visit(tree)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A sentence that is named."""
        if self._sentence(node) is not None:
            assert isinstance(node.value, ast.Name)
            self.used.add((self.modules[node.value.id], node.attr))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """A sentence that is called must be given its fields, by their names."""
        sentence = self._sentence(node.func)
        if sentence is not None:
            given = {word.arg for word in node.keywords}
            whole = None not in given  # else the call itself complains of what is missing
            if node.args or (given - {None} != sentence.fields if whole else not given - {None} <= sentence.fields):
                self.wrong.append(
                    f"{name_of(self.path)}, line {node.lineno}: {sentence.id} has the fields "
                    f"{sorted(sentence.fields)}, not {sorted(map(str, given))}"
                )
        self.generic_visit(node)

    def _sentence(self, node: ast.expr) -> Sentence | None:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self.modules:
            return catalogues()[self.modules[node.value.id]].get(node.attr)
        return None


def test_every_sentence_is_used_with_its_fields() -> None:
    """Each call gives exactly the fields of the template; none is in a catalogue for nothing."""
    wrong, used = [], set[tuple[str, str]]()
    for room in rooms():
        for path in files(room):
            uses = Uses(path)
            wrong += uses.wrong
            used |= uses.used
    assert not wrong, "\n".join(wrong)
    held = {(module, name) for module, names in catalogues().items() for name in names}
    assert not sorted(held - used)


def _text(node: ast.AST) -> str | None:
    """What a literal says, with * for values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "*" for part in node.values)
    return None


def _skipped(tree: ast.Module) -> set[ast.AST]:
    """Literals that are for nobody to read in the app: docstrings, what is compared, and what tells a programmer."""
    skipped = set[ast.AST]()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for one in body if isinstance(body, list) else ():
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                skipped.add(one.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(part for part in node.values if isinstance(part, ast.Constant))
        if isinstance(node, ast.Compare | ast.Assert | ast.comprehension):
            skipped.update(ast.walk(node))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _last(node.exc.func) in PROGRAMMING:
            skipped.update(ast.walk(node.exc))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("cast", "re.compile"):
            skipped.update(ast.walk(node))
        if isinstance(node, ast.Call) and _last(node.func) in RECORDS:
            skipped.update(ast.walk(node))
    return skipped


def _for_people(text: str) -> bool:
    """Whether a literal says something to people, in words of ours."""
    return bool(WORDS.search(text)) and text not in FOREIGN and not text.startswith(COMMANDS)


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every text for people that stands in some code, after its line."""
    skipped = _skipped(tree)
    for node in ast.walk(tree):
        text = _text(node)
        if text and node not in skipped and _for_people(text):
            yield getattr(node, "lineno", 0), text
        if isinstance(node, ast.Call) and _last(node.func) in SAYING:
            for said in node.args[:1]:
                if _text(said) is not None or isinstance(said, ast.BinOp):
                    yield node.lineno, ast.unparse(node)


def _last(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def found_in(room: str) -> list[str]:
    """Every text for people that stands in the code of a room."""
    apart = tuple(APART)
    return [
        f"{name_of(path)}, line {line}: {text}"
        for path in files(room)
        if not name_of(path).startswith(apart)
        for line, text in texts(tree_of(path))
    ]


@pytest.mark.parametrize("room", rooms())
def test_no_sentence_stands_in_the_code_of_a_room(room: str) -> None:
    """What a person reads is in the catalogue of the room."""
    found = found_in(room)
    assert not found, "\n".join(found)


def test_the_lists_of_exceptions_name_what_there_is() -> None:
    """An exception for nothing would let a later sentence through."""
    assert all((ROOT / place).exists() for place in APART)


@pytest.mark.parametrize(
    ("code", "spoken"),
    [
        ('raise InputError("The file is empty.")', True),
        ('raise InputError(f"{name} is empty; fill it.")', True),
        ('self.notify(f"{name}")', True),
        ('say("a" + b)', True),
        ("say(sentences.EMPTY(file=name))", False),
        ('raise ValueError("not for people")', False),
        ('def f() -> None:\n    """Say it."""', False),
        ('if "no space left" in said: pass', False),
    ],
)
def test_the_search_finds_what_a_person_would_read(code: str, spoken: bool) -> None:
    """The search itself: a sentence is seen wherever it stands, and nothing else is."""
    assert bool([*texts(ast.parse(code))]) == spoken
