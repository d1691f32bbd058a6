"""What tui/watch says."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

HELP = Sentence("ravine watch shows the curves of TensorBoard logs as they are written; the logs are only read.")
KEYS_TITLE = Title("keys · ? or Esc goes back")
NAME = Title("ravine watch")
FG_BRINGS_BACK = Sentence("fg brings ravine back.")
NOT_WRITTEN = Sentence("The curves cannot be written: {reason}.")
WRITTEN = Sentence("Written: {file}{more:if  and * more}, in {folder}.")
TEXT_STEP = Title("  step {step:count}")
STEP = Title("step {step}")
READING_FAILED = Sentence("The logs cannot be read on: {error}: {reason}.")
PART_OF_NAMES = Phrase("a part of the names")
TAGS = Phrase("{tags} tags")
STAYS_ON = Sentence("{tag} stays on the chart while others are looked at; {key} takes it off.")
GROWING = Phrase("is being written")
READING = Title("◌ reading {share:.0%} of {size}")
RUNS_AND_TAGS = Title("   {runs:count run} · {tags:count tag}")
HEAD = Title(" ravine watch")
NO_LOGS = Sentence(
    "There are no logs in {path} yet; the names of TensorBoard's event files contain tfevents. New ones show by "
    "themselves."
)
NO_TAG = Sentence("No tag is called so.")
NO_CURVES = Sentence("These logs have no curves; {key} shows the rest.")
ALL_HIDDEN = Sentence("Every run is hidden: {key} shows the one under the cursor.")
TOO_MANY = Sentence("{shown} of {curves} curves show: {hide} hides a run, {filter} filters the list.")
PROBLEM_AND_MORE = Sentence("{problem} {key} shows {more} more.")
OPENING = Phrase("opening")
LIVE = Title("● live   {size}")
READING_NOW = Phrase("reading…")
OF_RUN = Sentence("{run}: {problem}")

entitle(globals())
