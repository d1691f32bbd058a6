"""The pane of views: fit, residuals, metrics, weights and more of the run that is shown, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.message import Message

from tui.charts import sentences
from tui.keys.keymap import named
from tui.keys.table import bindings
from tui.look.styles import hue
from tui.registry.views import REGISTRY, labels
from tui.widgets.cells import Cells, Span, Words, apart, clip, wrap

if TYPE_CHECKING:
    from tui.charts.views.base import Drawing, RunView, Subject
    from tui.charts.views.weight_history import WeightHistory
    from tui.model.workspace import Workspace
    from tui.tasks.throttled import Throttled

CALM = 0.5  # seconds between two pictures of a run that is going on
FOLLOWING = 49  # times as long as it took to look at the train rows before they are looked at again


class ViewsPane(Cells, can_focus=True):
    """Shows one view of the run; v and V go to the next and the one before, the arrows through its variants."""

    KIND = "views"  # decides about the keys
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    @dataclass
    class Looked(Message):
        """What a view asked for has been looked up."""

        key: Any
        found: Any

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane views")
        self.border_title = "views"
        self.folded = False
        self.views: list[RunView] = []
        self._wanted = ""  # the name of the view that was chosen
        self._turns: dict[str, str] = {}  # what was chosen within the views, by name
        self._subject: Subject | None = None
        self._trail: WeightHistory | None = None
        self._looker: Throttled[Any, Any] | None = None
        self._follower: Throttled[None, None] | None = None
        self._asked: Any = None
        self._answers: dict[tuple[str, str], Any] = {}  # the newest answer of each view and turn
        self._shown: Any = None
        self._due = 0.0  # when a run that is going on is drawn next, by the monotonic clock
        self._drawing = False  # whether that has been arranged

    # What is shown.

    def show(self, workspace: Workspace) -> None:
        """Take the newest state of the run."""
        now = workspace.snapshot
        if now is None or now.history is None:
            if self._subject is not None:
                self._forget()
                self.redraw()
            return
        from tui.charts.views.base import available, subject_of
        from tui.charts.views.weight_history import WeightHistory

        before = self._subject
        if before is None or self._trail is None or before.snapshot.history is not now.history:
            self._forget()
            self._trail = WeightHistory()
        moved = self._trail.take(now)
        subject = subject_of(workspace, self._trail)
        assert subject is not None
        stamp = (now, subject.prepared, subject.plan)
        if self._shown is not None and all(one is other for one, other in zip(stamp, self._shown, strict=True)):
            return
        self._shown, self._subject = stamp, subject
        self.views = available(subject)
        if not now.live or monotonic() >= self._due:  # a thread that is woken takes the training loop's turn
            if moved:
                self._follow()
            self._ask()
        self._redraw_soon(now.live)

    def _forget(self) -> None:
        self._subject = self._shown = self._asked = None
        self._answers, self.views = {}, []

    @property
    def view(self) -> RunView | None:
        """The view that is shown: the chosen one where it makes sense, else the first."""
        return next((v for v in self.views if v.record.name == self._wanted), self.views[0] if self.views else None)

    def _turn(self, view: RunView) -> str:
        assert self._subject is not None
        turns = view.turns(self._subject)
        wanted = self._turns.get(view.record.name, "")
        return wanted if wanted in turns else turns[0] if turns else ""

    def _ask(self, *, at_once: bool = False) -> None:
        """Have looked up what the view needs, if it is not what was asked last."""
        view, subject = self.view, self._subject
        if view is None or subject is None or self.folded:
            return
        depends = view.key(subject)
        if depends is None:
            return
        turn, size = self._turn(view), self.size if view.sized else (0, 0)
        key = (view.record.name, turn, size, id(depends), id(subject.prepared), id(subject.plan), subject.decision)
        if key == self._asked or not self.size.width:
            return
        self._asked = key
        if self._looker is None:
            from tui.tasks.throttled import Throttled

            self._looker = Throttled(lambda key, found: self.post_message(self.Looked(key, found)))
        size = (self.size.width, self.size.height)
        looking = (subject, view, turn, key)
        self._looker.ask(looking, lambda: view.look(subject, turn, size), at_once=at_once)

    def _follow(self) -> None:
        """Have the metrics of the train rows noted too, so that their curve is there when it is asked for."""
        subject = self._subject
        if subject is None or subject.model is None:
            return
        if self._follower is None:
            from tui.tasks.throttled import Throttled

            self._follower = Throttled(lambda key, found: None, rest=FOLLOWING)
        from tui.charts.views.over_steps import note_figures

        self._follower.ask(None, lambda: note_figures(subject))

    def on_views_pane_looked(self, message: Looked) -> None:
        """An answer has come; of another run it is thrown away."""
        subject, view, turn, key = message.key
        if self._subject is None or subject.trail is not self._subject.trail:
            return
        waited_for = (view.record.name, turn) not in self._answers
        self._answers[view.record.name, turn] = message.found
        if key != self._asked:
            self._ask()
        self._redraw_soon(self._subject.snapshot.live and not waited_for)

    def _redraw_soon(self, live: bool) -> None:
        """Draw, of a run that is going on only so many times a second: it costs the link and the processor."""
        now = monotonic()
        if not live or now >= self._due:
            self._due = now + CALM
            self.redraw()
        elif not self._drawing:
            self._drawing = True
            self.set_timer(self._due - now, self._draw_now)

    def _draw_now(self) -> None:
        self._drawing = False
        self._due = monotonic() + CALM
        self.redraw()

    # Keys.

    def action_view(self, by: int) -> None:
        """The next view, or the one before."""
        if not self.views:
            return
        names = [view.record.name for view in self.views]
        now = names.index(self.view.record.name) if self.view is not None else 0
        self.choose_view(names[(now + by) % len(names)])

    def choose_view(self, name: str) -> None:
        """Show a view by its name, or say why the run has none."""
        if name not in [view.record.name for view in self.views]:
            self.app.notify(REGISTRY[name].refusal)
            return
        self._wanted = name
        self._ask(at_once=True)
        self.redraw()

    def like(self, name: str) -> None:
        """Show the view of this name, once there is one."""
        self._wanted = name.lower()  # it was "ROC" once

    @property
    def liked(self) -> str:
        """The name of the view that was chosen; empty where none was."""
        return self._wanted

    def action_move(self, lines: int) -> None:
        """The next metric, split or class within the view."""
        view, subject = self.view, self._subject
        if view is None or subject is None:
            return
        turns = view.turns(subject)
        if len(turns) > 1:
            by = max(-1, min(1, lines))
            self._turns[view.record.name] = turns[(turns.index(self._turn(view)) + by) % len(turns)]
            self._ask(at_once=True)
            self.redraw()

    def action_choose(self) -> None:
        """Show it large, or small again."""
        self.app.action_large(self.id)  # type: ignore[attr-defined]

    def on_resize(self, event: events.Resize) -> None:
        """More or fewer dots."""
        self._ask(at_once=True)
        super().on_resize(event)

    # Drawing.

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The view, or what to do to get one."""
        ink, view, subject = self.ink, self.view, self._subject
        if self.folded:
            return [[(" ▸ ", ink.accent), (view.record.label.capitalize() if view is not None else "Views", ink.dim)]]
        self._ask()
        if view is None or subject is None:
            self._title("views", "")
            words = sentences.VIEWS(views=labels(), key=named("views.next"))
            return [[], *([(f"  {line}", ink.faint)] for line in wrap(words, width - 4, height - 1))]
        if height < 4 or width < 16:
            return [[(sentences.SHOWN_LARGE(), ink.faint)]]
        turn = self._turn(view)
        drawn = self._draw(view, subject, turn, (width, height))
        self._title(self._tabs(view, width), self._words(view, drawn, width) if drawn is not None else "")
        return drawn.lines if drawn is not None else [[], [("  looking…", ink.faint)]]

    def _draw(self, view: RunView, subject: Subject, turn: str, size: tuple[int, int]) -> Drawing | None:
        from tui.charts.views.base import Drawing

        found = self._answers.get((view.record.name, turn))
        if view.key(subject) is not None and found is None:
            return None
        if isinstance(found, Exception):
            texts = wrap(str(found) or type(found).__name__, size[0] - 4, size[1] - 1)
            return Drawing([[], *([(f"  {text}", self.ink.bad)] for text in texts)])
        return view.draw(subject, found, turn, self.ink, size)

    def _tabs(self, view: RunView, width: int) -> Words:
        """The names of the views, the shown one bright; where not all fit, only it and its neighbours' arrows."""
        names = [one.record.label for one in self.views]
        now = self.views.index(view)
        first, last = now, now
        while True:  # as many neighbours as fit, to the right first
            if last + 1 < len(names) and _size(names[first : last + 2]) <= width - 8:
                last += 1
            elif first > 0 and _size(names[first - 1 : last + 1]) <= width - 8:
                first -= 1
            else:
                break
        hues = [hue(self.ink.accent if index == now else self.ink.dim) for index in range(len(names))]
        tabs = apart([(names[index], hues[index]) for index in range(first, last + 1)], " · ")
        return ("‹ " * (first > 0), ""), *tabs, (" ›" * (last + 1 < len(names)), "")

    def _words(self, view: RunView, drawn: Drawing, width: int) -> Words:
        """What is said below: the picture in words, then its colours, as far as they fit."""
        assert self._subject is not None
        room = width - 6
        about = drawn.about
        if len(view.turns(self._subject)) > 1 and self.has_focus:
            about = f"↑↓ {about}"
        entries = [(style, f"{marker} {clip(label, 24)}".strip()) for style, marker, label in drawn.legend]
        colours = sum(cell_len(text) + 2 for _, text in entries)
        about = clip(about, max(room - colours, room * 2 // 5))
        room -= cell_len(about)
        parts = [(about, "")] if about else []
        for style, text in entries:
            room -= cell_len(text) + 2
            if room < 0:
                break
            parts.append((text, hue(style)))
        return apart(parts)

    def _title(self, title: Words, subtitle: Words) -> None:
        self.head(title)
        self.note(subtitle)

    def on_focus(self) -> None:
        """The arrows act."""
        self.redraw()

    def on_blur(self) -> None:
        """They no longer do."""
        self.redraw()


def _size(names: list[str]) -> int:
    return cell_len(" · ".join(names))
