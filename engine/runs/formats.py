"""The formats of `ravine export`, each one record: all that the command line and the app know of it.

To add one, write one more record here, or call `register` with it from code of your own before the command line is read
or the app begins:

    from engine.base.loss_history import History
    from engine.runs.formats import Content, ExportFormat, register


    def losses(run, path, tag):
        history = History.open(run / "loss.f64")
        return Content([f"{loss!r}\\n" for loss in history.values(0, len(history)).tolist()])


    register(
        ExportFormat(
            name="losses",
            label="losses as text",
            help="the loss of every step, a line for each",
            ending=".txt",
            content=losses,
        )
    )

What a format needs is imported when a file is written: forms and `--help` list the records before numpy is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.registry import Registry

if TYPE_CHECKING:
    from engine.runs.code import Style


@dataclass(frozen=True)
class Content:
    """What goes into a file.

    Attributes:
        pieces: in order; made while they are written.
        meaning: JSON that says what the numbers mean; it goes into the file beside. "" for none.
    """

    pieces: Iterable[str] | Iterable[bytes]
    meaning: str = ""


def _nothing(path: Path) -> Path | None:
    return None


@dataclass(frozen=True)
class ExportFormat:
    """One format: what is in its files, and how they are made.

    Attributes:
        name, label, help: see `engine.registry.Member`; the help is half a sentence on what is in the file.
        ending: how the name of a file ends that the app offers, after the run's name.
        content: of a run's folder, the path that is written (None: stdout) and the tag of a curve: what goes into the
            file. Raises InputError, with a remedy, where the run has not what it needs.
        more: half a sentence for `--help`, on what only the command line does.
        refuses: the runs that it cannot write, as "a model that is a class of your own"; "" where it writes all.
        beside: of the path, a second file that may be written with it; None where there is none.
        of_all: of folders and a tag: the lines of one curve of many runs. None: it is of one run.
        names: of a CSV format: of the run (None: all) and the folders of all, where names stand that a spreadsheet may
            take for formulas, and the names. Its first line is the header.
        text: whether it may go to a terminal.
        style_of, style: of a format that `ravine export` writes with `--format STYLE_OF --style STYLE`.
    """

    name: str
    label: str
    help: str
    ending: str
    content: Callable[[Path, Path | None, str], Content]
    more: str = ""
    refuses: str = ""
    beside: Callable[[Path], Path | None] = _nothing
    of_all: Callable[[Sequence[Path], str], Iterable[str]] | None = None
    names: Callable[[Path | None, Sequence[Path]], tuple[str, Sequence[str]]] | None = None
    text: bool = True
    style_of: str = ""
    style: str = ""

    @property
    def about(self) -> str:
        """What `--help` says of it."""
        parts = (self.help, self.more, f"not for {self.refuses}" if self.refuses else "")
        return f"{self.name}: {'; '.join(filter(None, parts))}."


def _curve(run: Path, path: Path | None, tag: str) -> Content:
    from engine.runs import curves_csv

    return Content(curves_csv.csv(run, tag))


def _curve_of_all(runs: Sequence[Path], tag: str) -> Iterable[str]:
    from engine.runs import curves_csv

    return curves_csv.csv_of_all(runs, tag)


def _curve_names(run: Path | None, runs: Sequence[Path]) -> tuple[str, Sequence[str]]:
    return "Run", [] if run is not None else [one.name for one in runs]


def _curves(run: Path, path: Path | None, tag: str) -> Content:
    from engine.runs import curves_csv

    return Content(curves_csv.wide(run))


def _curves_of_all(runs: Sequence[Path], tag: str) -> Iterable[str]:
    from engine.runs import curves_csv

    return curves_csv.wide_of_all(runs, tag)


def _curves_names(run: Path | None, runs: Sequence[Path]) -> tuple[str, Sequence[str]]:
    from engine.runs import curves_csv

    return "the header", [one.name for one in runs] if run is None else curves_csv.tags(run)


def _safetensors(run: Path, path: Path | None, tag: str) -> Content:
    from engine.runs import predictor

    content, meaning = predictor.exported(run)
    return Content([content], meaning)


def _onnx(run: Path, path: Path | None, tag: str) -> Content:
    from engine.runs import onnx_model, predictor

    return Content([onnx_model.to_onnx(predictor.load(run))])


def _script(style: Style) -> Callable[[Path, Path | None, str], Content]:
    def content(run: Path, path: Path | None, tag: str) -> Content:
        from engine.runs import code

        return Content([code.of_run(run, style, path)])

    return content


def _predictor(run: Path, path: Path | None, tag: str) -> Content:
    from engine.runs import predictor, standalone

    return Content([standalone.script(predictor.load(run))])


def _report(run: Path, path: Path | None, tag: str) -> Content:
    from engine.runs import report

    return Content([report.markdown(run)])


def _table_beside(path: Path) -> Path:
    return path.with_name(path.name + ".npz")


CODE = ExportFormat(
    name="code",
    label="PyTorch script",
    help="a PyTorch script that repeats the run",
    ending=".py",
    content=_script("plain"),
    more="a table that is not small goes into FILE.npz beside it",
    refuses="L-BFGS, mixed precision or a model that is a class of your own, which --style torch writes",
    beside=_table_beside,
    style="plain",
)
REGISTRY: Registry[ExportFormat] = Registry(
    "export format",
    ExportFormat(
        name="csv",
        label="CSV",
        help="the loss of every step, with its wall time",
        ending=".csv",
        content=_curve,
        more="the columns are TensorBoard's Wall time,Step,Value; RUN may be all",
        of_all=_curve_of_all,
        names=_curve_names,
    ),
    ExportFormat(
        name="wide-csv",
        label="wide CSV",
        help="a row for each step, a column for each curve",
        ending="_curves.csv",
        content=_curves,
        more="of all runs: a column for each run",
        of_all=_curves_of_all,
        names=_curves_names,
    ),
    ExportFormat(
        name="safetensors",
        label="safetensors",
        help="the weights; what they mean inside and as JSON beside",
        ending=".safetensors",
        content=_safetensors,
        beside=lambda path: path.with_name(path.name.removesuffix(".safetensors") + ".json"),
        text=False,
    ),
    ExportFormat(
        name="onnx",
        label="ONNX",
        help="the model with encoding and normalization inside",
        ending=".onnx",
        content=_onnx,
        more="raw columns go in by name",
        refuses="a model that is a class of your own",
        text=False,
    ),
    CODE,
    ExportFormat(
        name="code-torch",
        label="PyTorch script with torch.nn",
        help="the same with nn, optim and DataLoader",
        ending=".py",
        content=_script("torch"),
        beside=_table_beside,
        style_of=CODE.name,
        style="torch",
    ),
    ExportFormat(
        name="predictor",
        label="predictor",
        help="a script that predicts and needs no library",
        ending="_predict.py",
        content=_predictor,
        refuses="a model that is a class of your own",
    ),
    ExportFormat(
        name="report",
        label="report",
        help="a page of Markdown",
        ending=".md",
        content=_report,
    ),
)
register, remove = REGISTRY.register, REGISTRY.remove


def named() -> tuple[ExportFormat, ...]:
    """Those that `--format` names; styles of others are not among them."""
    return tuple(one for one in REGISTRY if not one.style_of)


def labels() -> list[str]:
    """What people call those."""
    return [one.label for one in named()]


def styles() -> tuple[str, ...]:
    """What `--style` names, the usual one first."""
    return tuple(dict.fromkeys(one.style for one in REGISTRY if one.style))


def in_style(format: str, style: str) -> ExportFormat:
    """The format of a name in a style; itself where it has no such style."""
    return next((one for one in REGISTRY if (one.style_of, one.style) == (format, style)), REGISTRY[format])
