"""Every key, said once: the bindings, the footer, the help screen, the palette and the keymap file come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

from tui.keys.situation import (
    Situation,
    always,
    can_step,
    choose_word,
    drawn,
    has_focus,
    has_list,
    has_rate,
    is_live,
    listed,
    not_on,
    on_train,
    on_watch,
    overlaid,
    run_word,
)

Place = Literal[
    "app", "train", "panel", "chart", "list", "data", "runs", "predict", "evaluate", "code", "finder", "watch",
    "race", "curves", "log",
]  # fmt: skip


@dataclass(frozen=True)
class Key:
    """One key and what it does.

    Keys of one group that share a footer text stand together in the footer: "[ ] rate".
    """

    id: str  # the name in a keymap
    keys: str  # Textual's names, separated by commas; the first is the one shown
    action: str
    footer: str  # empty: not in the footer
    told: str | Callable[[], str]  # what it does, a sentence; a function where that is a list of what is registered
    place: Place = "app"  # the node that carries the binding
    when: Callable[[Situation], bool] = always
    called: Callable[[Situation], str] | None = None  # the footer text where it depends on the situation
    priority: bool = False
    minor: bool = False  # left to the help screen where the footer is short of room
    mark: str = ""  # how the key is written where its name would not do: "arrows"
    also: str = ""  # another word by which the palette finds it

    @property
    def help(self) -> str:
        """What it does, a sentence."""
        return self.told if isinstance(self.told, str) else self.told()

    def text(self, now: Situation) -> str:
        """The footer's word for it, empty where the key does nothing now."""
        if not self.when(now):
            return ""
        return self.called(now) if self.called else self.footer


def _views_told() -> str:
    from tui.registry import views

    return f"The next view of the run: {views.labels()}."


def _export_told() -> str:
    from engine.runs import formats

    return f"Export the run: {', '.join(formats.labels())}."


# fmt: off
KEYS: tuple[Key, ...] = (
    # A run
    Key("run.toggle", "space", "app.act('toggle')", "run",
        "Start a run with the choices of the panels; pause it; go on.", when=lambda now: bool(run_word(now)),
        called=run_word),
    Key("run.step", "s", "app.act('step')", "step", "Take one step and stay paused.", when=can_step),
    Key("run.stop", "x", "app.act('stop')", "stop", "Stop the run; what it has learned is saved.", when=is_live),
    Key("run.anew", "n", "app.act('anew')", "new run with it",
        "Stop this run and begin a new one, with the choices that this one cannot take while it goes on.", "train",
        lambda now: now.live and now.later),
    Key("run.why", "i", "app.why", "run summary", "Why the run ended, how good it is and what to try next, in full.",
        "train", lambda now: on_train(now) and now.phase in ("ended", "failed")),
    Key("run.remedy", "f", "app.act('remedy')", "apply remedy",
        "Take the remedy that is offered for a run that diverged or fell short, and start again.",
        when=lambda now: now.remedy and not now.live),
    Key("run.defaults", "D", "app.act('defaults')", "defaults",
        "Set all choices back to their defaults; once more brings them back.", "train",
        lambda now: on_train(now) and not now.live, minor=True),
    Key("rate.down", "left_square_bracket", "app.act('rate_down')", "rate",
        "Learning rate down by a tenth of a decade, also while training.", when=has_rate, mark="["),
    Key("rate.up", "right_square_bracket", "app.act('rate_up')", "rate",
        "Learning rate up by a tenth of a decade, also while training.", when=has_rate, mark="]"),
    Key("pace.slower", "less_than_sign", "app.act('slower')", "pace",
        "Spread the run over more time, so that it can be watched.", when=on_train, minor=True, mark="<"),
    Key("pace.faster", "greater_than_sign", "app.act('faster')", "pace",
        "Spread the run over less time, down to none.", when=on_train, minor=True, mark=">"),
    # Where to go
    Key("go.panel1", "1", "train.panel(1)", "panel", "To the dataset.", "train", on_train),
    Key("go.panel2", "2", "train.panel(2)", "panel", "To the normalization.", "train", on_train),
    Key("go.panel3", "3", "train.panel(3)", "panel", "To the hyperparameters.", "train", on_train),
    Key("go.panel4", "4", "train.panel(4)", "panel", "To the device.", "train", on_train),
    Key("go.train", "t", "app.go('train')", "train", "The train screen: panels, loss, weights.", when=not_on("train")),
    Key("go.data", "d", "app.go('data')", "data", "The data screen: the table, its columns, what was left out.",
        when=not_on("data")),
    Key("go.runs", "r", "app.go('runs')", "runs", "The runs screen: every saved run.", when=not_on("runs")),
    Key("go.predict", "p", "app.go('predict')", "predict", "The predict screen: type raw values, see the prediction.",
        when=not_on("predict")),
    Key("go.evaluate", "a", "app.assess", "evaluate",
        "The evaluation: metrics against their baselines, classes, the worst rows, the health of parameters.",
        when=lambda now: now.screen != "evaluate"),
    Key("go.code", "o", "app.go('code')", "script", "The present choices as a PyTorch script that repeats the run.",
        when=lambda now: now.screen == "train" and not now.blocked, minor=True),
    Key("go.finder", "F", "app.go('finder')", "find rate",
        "Find a learning rate by a short trial run whose rate rises.",
        when=lambda now: now.screen == "train" and not now.live and not now.blocked, minor=True),
    Key("go.rewind", "w", "app.rewind", "rewind",
        "Go back to a checkpoint of the run, and branch a new run from there.",
        when=lambda now: now.shown and now.screen in ("train", "runs"), minor=True),
    Key("go.race", "N", "app.race", "race",
        "Normalization race: the same choices under every normalization, side by side.", "train",
        lambda now: on_train(now) and (now.racing if now.live else not now.blocked)),
    Key("go.log", "G", "app.go('log')", "log",
        "The log: messages with their times; the log of the run; what other code has printed.",
        when=not_on("log"), minor=True),
    # The chart
    Key("chart.log_y", "l", "train.chart('log_y')", "log y", "Loss axis logarithmic or linear.", "train", drawn),
    Key("chart.log_x", "L", "train.chart('log_x')", "log x", "Step axis logarithmic or linear.", "train", drawn,
        minor=True),
    Key("chart.smooth", "e", "train.chart('smooth')", "smooth",
        "Smooth the curve with a moving average; the raw one stays behind it.", "train", drawn, minor=True),
    Key("chart.in", "plus,equals_sign", "train.chart('in')", "zoom",
        "Zoom in on the crosshair of the chart, else on the newest steps.", "train", drawn, minor=True, mark="+"),
    Key("chart.out", "minus", "train.chart('out')", "zoom", "Zoom out.", "train", drawn, minor=True, mark="-"),
    Key("chart.reset", "0", "train.chart('reset')", "all", "Show the whole curve again.", "train", drawn, minor=True),
    Key("chart.before", "comma", "train.chart('before')", "exact value",
        "Move the crosshair of the chart to earlier steps; it tells the exact values there. 0 takes it away.", "train",
        drawn, minor=True, mark=","),
    Key("chart.after", "full_stop", "train.chart('after')", "exact value", "Move the crosshair to later steps.",
        "train", drawn, minor=True, mark="."),
    Key("chart.left", "left", "chart('left')", "pan", "Pan to earlier steps.", "chart", has_focus("chart"), mark="←"),
    Key("chart.right", "right", "chart('right')", "pan", "Pan to later steps.", "chart", has_focus("chart"), mark="→"),
    Key("chart.up", "up", "chart('up')", "pan", "Pan to higher losses.", "chart", has_focus("chart"), mark="↑"),
    Key("chart.down", "down", "chart('down')", "pan", "Pan to lower losses.", "chart", has_focus("chart"), mark="↓"),
    Key("pane.large", "enter", "large", "large", "Show this pane alone; once more, all of them.", "chart",
        has_focus("chart")),
    Key("views.next", "v", "train.view(1)", "view",
        _views_told, "train",
        lambda now: now.screen == "train" and now.views > 1),
    Key("views.previous", "V", "train.view(-1)", "view", "The view before.", "train",
        lambda now: now.screen == "train" and now.views > 1),
    # In a panel or a list
    Key("list.up", "up,k", "move(-1)", "move", "Up a line.", "list", has_list, minor=True, mark="↑"),
    Key("list.down", "down,j", "move(1)", "move", "Down a line.", "list", has_list, minor=True, mark="↓"),
    Key("list.page_up", "pageup", "move(-10)", "", "Up ten lines.", "list", mark="PgUp"),
    Key("list.page_down", "pagedown", "move(10)", "", "Down ten lines.", "list", mark="PgDn"),
    Key("list.first", "home", "move(-1000000000)", "", "To the first line.", "list", mark="Home"),
    Key("list.last", "end", "move(1000000000)", "", "To the last line.", "list", mark="End"),
    Key("list.choose", "enter", "choose", "choose", "Choose what is under the cursor, or edit it.", "list", has_list,
        called=choose_word),
    Key("panel.reset", "backspace,delete", "reset", "default", "Set the field under the cursor back to its default.",
        "panel", has_focus("panel"), mark="⌫"),
    # Runs and predictions
    Key("runs.predict", "P", "screen.predict", "predict with it", "Predict with the run under the cursor.", "runs",
        lambda now: now.screen == "runs" and now.rows),
    Key("predict.run", "m", "screen.pick_run", "pick run", "Pick the run to predict with.", "predict",
        lambda now: now.screen == "predict" and now.rows),
    Key("predict.next", "n", "screen.other_run(1)", "other run", "Predict with the next older run.", "predict",
        lambda now: now.screen == "predict" and now.rows),
    Key("predict.previous", "N", "screen.other_run(-1)", "other run", "Predict with the next newer run.", "predict",
        lambda now: now.screen == "predict" and now.rows),
    Key("predict.file", "i", "screen.file", "predict a file",
        "Predict every row of a file into a new file beside it.", "predict",
        lambda now: now.screen == "predict" and now.rows),
    Key("predict.cancel", "escape", "screen.cancel", "", "Stop predicting a file.", "predict", mark="Esc"),
    Key("data.columns", "left", "screen.columns(-1)", "columns", "The columns to the left.", "data",
        lambda now: now.screen == "data" and now.rows, mark="←"),
    Key("data.more", "right", "screen.columns(1)", "columns", "The columns to the right.", "data",
        lambda now: now.screen == "data" and now.rows, mark="→"),
    Key("data.target", "y", "screen.target", "target", "Predict the column under the cursor.", "data",
        lambda now: now.screen == "data" and now.rows),
    Key("data.use", "u", "screen.use", "leave out/in",
        "Leave the column under the cursor out, or take it in again.", "data",
        lambda now: now.screen == "data" and now.rows),
    Key("data.mode", "m", "screen.mode(1)", "normalization", "The next normalization.", "data",
        lambda now: now.screen == "data" and now.rows),
    Key("data.mode_back", "M", "screen.mode(-1)", "", "The normalization before.", "data",
        lambda now: now.screen == "data" and now.rows),
    Key("runs.resume", "R", "screen.resume", "resume", "Resume the run under the cursor from its last checkpoint.",
        "runs", lambda now: now.screen == "runs" and now.rows and not now.live),
    Key("evaluate.before", "left", "screen.split(-1)", "split", "The split before.", "evaluate",
        lambda now: now.screen == "evaluate" and now.rows, mark="←"),
    Key("evaluate.split", "right", "screen.split(1)", "split", "The next split: train, validation, test.", "evaluate",
        lambda now: now.screen == "evaluate" and now.rows, mark="→"),
    Key("evaluate.pane", "v", "screen.pane", "pane", "The next pane of the evaluation.", "evaluate",
        lambda now: now.screen == "evaluate" and now.rows),
    Key("code.style", "v", "screen.style", "other style",
        "The script as tensors and formulas, or with nn, optim and DataLoader.", "code",
        lambda now: now.screen == "code"),
    Key("code.left", "left", "aside(-8)", "aside", "Scroll the script to the left.", "code",
        lambda now: now.screen == "code" and now.rows, mark="←", minor=True),
    Key("code.right", "right", "aside(8)", "aside", "Scroll the script to the right.", "code",
        lambda now: now.screen == "code" and now.rows, mark="→", minor=True),
    Key("finder.take", "enter", "take", "take it", "Put the suggested learning rate into the panels.", "finder",
        lambda now: now.screen == "finder" and now.rows),
    # The list of runs, the race, and runs over each other
    Key("runs.filter", "slash", "screen.filter", "filter",
        "Type which runs the list shall show, such as lr<0.1 normalize=zscore,robust !diverged; Esc takes it away.",
        "runs", lambda now: now.screen == "runs", mark="/"),
    Key("runs.sort", "o", "screen.sort", "order", "Put the runs in the order of the next column.", "runs", listed),
    Key("runs.turn", "O", "screen.turn", "order", "Turn the order around.", "runs", listed),
    Key("runs.columns", "h", "screen.choose_columns", "columns",
        "Show and hide columns: every choice of the recipe, every result.", "runs", listed),
    Key("runs.differ", "v", "screen.differ", "what differs",
        "Only the columns in which the listed runs differ; once more, those that were chosen.", "runs", listed),
    Key("runs.left", "left", "screen.shift(-1)", "columns", "The columns to the left.", "runs", listed, minor=True,
        mark="←"),
    Key("runs.right", "right", "screen.shift(1)", "columns", "The columns to the right.", "runs", listed, minor=True,
        mark="→"),
    Key("runs.mark", "m", "screen.mark", "mark",
        "Mark the run under the cursor, or take its mark away; marked runs are drawn over each other.", "runs", listed),
    Key("runs.unmark", "M", "screen.unmark", "mark none", "Take all marks away.", "runs", listed, minor=True),
    Key("runs.axis", "X", "screen.axis", "x axis", "Marked runs by step, by epoch, or by time.", "runs", listed),
    Key("runs.note", "n", "screen.note", "note", "Write a note on the run.", "runs", listed),
    Key("runs.tags", "T", "screen.tags", "tags", "Tag the run: words separated by commas.", "runs", listed),
    Key("runs.rename", "N", "screen.rename", "rename", "Give the run's folder another name.", "runs", listed),
    Key("runs.delete", "D", "screen.delete", "delete", "Put the run into the trash; u brings it back.", "runs", listed),
    Key("runs.undo", "u", "screen.undo", "undo", "Undo the last note, tags, name or deletion.", "runs",
        lambda now: now.screen == "runs", minor=True),
    Key("runs.export", "E", "screen.export", "export", _export_told,
        "runs", listed),
    Key("runs.path", "y", "screen.copy_path", "copy path", "Copy the path of the run's folder.", "runs", listed,
        minor=True),
    Key("race.again", "N", "app.race", "", "Race once more, with the present choices.", "race",
        lambda now: now.screen == "race" and not now.live and not now.blocked),
    Key("curves.log_y", "l", "screen.chart('log_y')", "log y", "Runs and race: loss axis logarithmic or linear.",
        "curves", overlaid),
    Key("curves.log_x", "L", "screen.chart('log_x')", "log x", "Runs and race: step axis logarithmic or linear.",
        "curves", overlaid, minor=True),
    Key("curves.smooth", "e", "screen.chart('smooth')", "smooth",
        "Runs and race: smooth the curves; the raw ones stay behind them.", "curves", overlaid, minor=True),
    Key("curves.in", "plus,equals_sign", "screen.chart('in')", "zoom", "Runs and race: zoom in on the newest steps.",
        "curves", overlaid, minor=True, mark="+"),
    Key("curves.out", "minus", "screen.chart('out')", "zoom", "Runs and race: zoom out.", "curves", overlaid,
        minor=True, mark="-"),
    Key("curves.reset", "0", "screen.chart('reset')", "all", "Runs and race: show all steps again.", "curves",
        overlaid, minor=True),
    Key("curves.large", "g", "screen.enlarge", "large chart", "Runs and race: the chart alone; once more, the list.",
        "curves", overlaid),
    Key("log.line", "v", "screen.line", "line",
        "Show or hide what the line to the terminal carries: kB/s, pictures a second, bytes in all.", "log",
        lambda now: now.screen == "log"),
    # Logs: the screen of `ravine watch`
    Key("watch.toggle", "x", "screen.show_hide", "show/hide", "Show or hide the run or the tag under the cursor.",
        "watch", on_watch),
    Key("watch.filter", "slash", "screen.filter", "filter",
        "Type a part of the names that the list shall show; Enter keeps it, Esc takes it away.", "watch", on_watch,
        mark="/"),
    Key("watch.log_y", "l", "screen.chart('log_y')", "log y", "Value axis logarithmic or linear.", "watch", on_watch),
    Key("watch.log_x", "L", "screen.chart('log_x')", "log x", "Step axis logarithmic or linear.", "watch", on_watch),
    Key("watch.smooth", "e", "screen.chart('smooth')", "smooth",
        "Smooth the curves with a moving average; the raw ones stay behind it.", "watch", on_watch),
    Key("watch.in", "plus,equals_sign", "screen.chart('in')", "zoom",
        "Zoom in on the cursor of the chart, else on the newest steps.", "watch", on_watch, mark="+"),
    Key("watch.out", "minus", "screen.chart('out')", "zoom", "Zoom out.", "watch", on_watch, mark="-"),
    Key("watch.reset", "0", "screen.chart('reset')", "all", "Show all steps again.", "watch", on_watch),
    Key("watch.left", "left", "screen.chart('left')", "pan", "Pan to earlier steps.", "watch", on_watch, minor=True,
        mark="←"),
    Key("watch.right", "right", "screen.chart('right')", "pan", "Pan to later steps.", "watch", on_watch, minor=True,
        mark="→"),
    Key("watch.before", "less_than_sign", "screen.chart('before')", "exact value",
        "Move the cursor of the chart to earlier steps; the values there stand below.", "watch", on_watch,
        minor=True, mark="<"),
    Key("watch.after", "greater_than_sign", "screen.chart('after')", "exact value",
        "Move the cursor of the chart to later steps.", "watch", on_watch, minor=True, mark=">"),
    Key("watch.view", "v", "screen.view(1)", "view",
        "Below the chart: values, hyperparameters, texts, histograms, problems.", "watch", on_watch),
    Key("watch.view_back", "V", "screen.view(-1)", "view", "The view before.", "watch", on_watch),
    Key("watch.csv", "w", "screen.csv", "write CSV",
        "Write every point of the curves that show to CSV files in the present folder.", "watch", on_watch),
    Key("watch.theme", "T", "app.change_theme", "colours",
        "Choose the colours: our own, high-contrast, colour-blind-safe, and Textual's.", "watch", on_watch, minor=True),
    # The program
    Key("app.tensorboard", "b", "app.tensorboard", "tensorboard", "Serve all runs with TensorBoard, for a browser.",
        when=lambda now: now.screen in ("train", "runs"), minor=True),
    Key("app.copy", "c", "app.copy", "copy command",
        "Copy the command line that does the same without a screen; on the script screen, the script.",
        when=lambda now: on_train(now) or (now.screen == "code" and now.rows), minor=True,
        called=lambda now: "copy script" if now.screen == "code" else "copy command"),
    Key("app.theme", "T", "app.change_theme", "colours",
        "Choose the colours: our own, high-contrast, colour-blind-safe, and Textual's.", "train", on_train, minor=True,
        also="theme"),
    Key("app.focus_next", "tab", "app.focus_next", "next pane", "To the next pane.",
        when=lambda now: now.screen in ("train", "data", "predict", "evaluate", "watch"), mark="Tab"),
    Key("app.focus_previous", "shift+tab", "app.focus_previous", "", "To the pane before.", mark="Shift+Tab"),
    Key("app.palette", "ctrl+p", "app.command_palette", "", "Search everything that can be done.", mark="Ctrl+P"),
    Key("app.suspend", "ctrl+z", "app.suspend_run", "",
        "Leave to the shell; training pauses, and goes on after fg.", mark="Ctrl+Z", priority=True),
    Key("app.back", "escape", "app.back", "back",
        "Leave a field; stop reading a table; from another screen, back to training.",
        when=lambda now: now.waiting or now.screen != "train",
        called=lambda now: "stop reading" if now.waiting else "back", mark="Esc"),
    Key("app.help", "question_mark,f1", "app.go('help')", "help", "Every key and what it does.", mark="?"),
    Key("app.quit", "q", "app.leave", "quit", "Quit; during a run it asks first."),
    Key("app.interrupt", "ctrl+c", "app.leave", "", "Quit, also out of a text field.", mark="Ctrl+C", priority=True),
)
# fmt: on

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Run", ("run.", "rate.", "pace.")),
    ("Screens", ("go.",)),
    ("Normalization race", ("race.",)),
    ("Charts", ("chart.", "views.", "pane.", "curves.")),
    ("Panels and lists", ("list.", "panel.")),
    ("Data screen", ("data.",)),
    ("Runs screen", ("runs.",)),
    ("Predict screen", ("predict.",)),
    ("Evaluation", ("evaluate.",)),
    ("Script and learning-rate finder", ("code.", "finder.")),
    ("Log screen", ("log.",)),
    ("Logs (ravine watch)", ("watch.",)),
    ("Program", ("app.",)),
)

# What of the other places works on the screen of `ravine watch`, which is an app of its own.
WATCHING = frozenset(
    {"app.focus_next", "app.focus_previous", "app.suspend", "app.help", "app.quit", "app.interrupt"}
    | {key.id for key in KEYS if key.place in ("watch", "list")}
)


def bindings(place: Place, only: frozenset[str] | None = None) -> list[Binding]:
    """Textual's bindings for the keys that one node carries, or for some of them."""
    found = []
    for key in KEYS:
        if key.place == place and (only is None or key.id in only):
            action = key.action.replace("train.", "screen.")
            found.append(Binding(key.keys, action, key.help, show=False, id=key.id, priority=key.priority, system=True))
    return found
