"""What engine/commands says."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

HELP_OUTPUT = Sentence("The file to write; without it stdout.")
HELP_EXPORTED_TAG = Sentence("For csv: the curve, by its TensorBoard tag.")
HELP_STYLE = Sentence("For code: plain has forward, loss, backward and update written out; torch uses nn and optim.")
WROTE_WITH_MEANING = Sentence("Wrote {path}, and what its numbers mean to {beside}.")
FORMAT_OF_ONE_RUN = Sentence("Format {format} is for one run; all works with {formats:and}.")
NO_RUNS_TO_EXPORT = Sentence("There are no runs in {folder}; train one first, or name their folder with --runs.")
NO_RUN_WITH_CURVE = Sentence(
    "No run in {folder} has a curve {tag}; `ravine export RUN --format wide-csv` shows those of one run."
)
NOT_TEXT = Sentence("This format is not text, and stdout is a terminal; name a file with -o FILE.")
WRITTEN_SO_FAR = Phrase("{megabytes:,.0f} MB written")
HELP_RUN = Sentence("A path, a folder name, a unique beginning of one, or last.")
HELP_RUNS = Sentence("The folder that holds the run folders.")
HELP_PLAIN = Sentence("Print one line per epoch on stderr, for screen readers and logs; no escapes.")
HELP_TRUST = Sentence(
    "Run the modules that a recipe or a run names as they are now, though you have neither run nor confirmed them "
    "so before; one that you name yourself needs no --trust."
)
HELP_JSON = Sentence("Print one JSON object on stdout.")
HELP_DATASET = Sentence("Same as --dataset.")
HELP_RECIPE = Sentence("Start from a recipe.toml or a run folder; flags override it.")
HELP_PRESET = Sentence("Start from a preset: {names}, or one of your own; --recipe and flags override it.")
NO_RUNS_YET = Sentence("There are no runs in {runs} yet; `ravine train` makes one.")
RUN_PROBLEM = Title("  {problem}")
RUNS_AND_SIZE = Title("{runs:count run}, {size:bytes}")
TWO_INPUTS = Sentence("Give either --values, one row, or --input, a table, not both.")
NO_INPUT = Sentence("Give what to predict: --values with one row, or --input with a table (- for stdin).")
WROTE = Sentence("Wrote {path}.")
BAD_KEEP = Sentence("--keep is not a line of CSV: {error}; give COL,COL or all.")
OUTPUT_IS_INPUT = Sentence("-o {path} is the file that is read; give the predictions another name.")
VALUES_DO_NOT_FIT = Sentence("--values has {given:count value}, the model takes {wanted}: {names}.")
BAD_VALUES = Sentence("--values cannot be read: {error}; give one row, with commas between the values.")
HELP_RAVINE = Sentence(
    "The terminal trainer for PyTorch. Without a command: the full-screen trainer; flags preset its panels, and "
    "--fresh (not the last choices), --ascii and --theme NAME are its own."
)
HELP_EPOCHS = Sentence("A new total number of epochs, instead of steps.")
HELP_STEPS = Sentence("A new total number of steps; a finished run continues to it.")
HELP_CHANGED_DATA = Sentence("Resume though the table has changed since the run began.")
HELP_TAKE_OVER = Sentence("Resume though the run may still be live on a host that cannot be asked.")
HELP_VALUES = Sentence('One row, in raw units: "3,2500" or "x1=3,x2=2500".')
HELP_INPUT = Sentence(
    "A table with the raw columns, found by their names: a file, or - for stdin. The predictions are CSV, a line "
    "for each row."
)
HELP_PREDICTIONS = Sentence("The file for the predictions, CSV or .parquet; without it stdout.")
HELP_KEEP = Sentence("Columns of the input to copy beside the predictions: COL,COL or all.")
HELP_OF_RUNS = Sentence("List the runs, newest first, or delete old ones.")
HELP_KEPT = Sentence("How many of the newest runs stay.")
HELP_STATE = Sentence("Only runs in these states or with these endings: failed,interrupted,damaged,diverged,…")
HELP_DELETE_OVER = Sentence("Delete also runs that may still be live on a host that cannot be asked.")
HELP_YES = Sentence("Do not ask.")
BAD_COUNT_KEPT = Sentence("--keep is {keep}; give 0 or more.")
BAD_STATE = Sentence("--state {state} is not a state of a run; there are {known}.")
RUN_STAYS = Sentence("  {run} stays: it may still be running on {host}; --take-over deletes it too.")
NOTHING_TO_DELETE = Sentence(
    "There is nothing to delete in {runs}: the newest {keep} and runs with tags or notes stay."
)
RUN_TO_DELETE = Title("  {run}  {age}  {size:bytes}")
MORE_TO_DELETE = Title("  and {more:count} more")
NOTHING_DELETED = Sentence("Nothing was deleted.")
DELETED = Sentence("Deleted {deleted:count run}.")
NOBODY_TO_ASK = Sentence("This deletes runs for good, and there is no terminal to ask on; confirm with --yes.")
TWO_DATASETS = Sentence("The dataset is given twice: {word} and --dataset {dataset}; give it once.")
RAVINE = Title("ravine: {error}")
HELP_LOGDIR = Sentence("A folder of TensorBoard logs, or one event file.")
HELP_TAG = Sentence("Print this curve as CSV, as TensorBoard has it.")
HELP_RUN_OF_TAG = Sentence("The run of --tag, where several have it.")
NO_CURVES = Sentence("There are no curves in {logdir}; the names of TensorBoard's event files contain tfevents.")
RUN_AND_PROBLEM = Title("{run}: {problem}")
READ_SO_FAR = Phrase("{share:.0%} of {megabytes:,.0f} MB")
NO_RUN = Sentence("There is no run {run} in {path}; it has {runs:some}.")
RUN_WITHOUT_CURVE = Sentence("The run {run} has no curve {tag}; it has {tags:some}.")
CURVE_OF_NO_RUN = Sentence("No run in {path} has a curve {tag}; they have {tags:some}.")
CURVE_OF_SEVERAL = Sentence("{count:count} runs have a curve {tag}: {runs:some}; choose one with --run.")
SYSTEM_REFUSED = Sentence("ravine: {reason}{file:if  (*)}.")
DELETE_RUNS = Title("Delete {runs:count run} ({size:bytes}) for good? [y/N] ")
DELETE_RUNS_AND_TRASH = Title("Delete {runs:count run} and {trash:count} in the trash ({size:bytes}) for good? [y/N] ")
EMPTY_TRASH = Title("Delete {trash:count run} in the trash ({size:bytes}) for good? [y/N] ")
AFTER_EPOCH = Title(
    "epoch {epoch:count} of {epochs:,.6g}: loss {loss}{validation:if , validation *}{seconds:if , * s to go}"
)
AFTER_STEP = Title(
    "step {step:count} of {steps:count}: loss {loss}{validation:if , validation *}{seconds:if , * s to go}"
)
ON_THE_WAY = Title("step {step:count} of {steps:count}   loss {loss}   {pace:,.0f} steps/s{seconds:if    * s to go}")
HELP_OF_TRAIN = Sentence(
    "Train without a screen; the run folder is the same.\n\nExit codes: 0 done, 1 failed, 2 wrong usage or bad "
    "input, 3 diverged, 130 interrupted."
)
HELP_OF_RESUME = Sentence("Resume a run from its last checkpoint, as if it had never stopped.")
HELP_OF_PREDICT = Sentence(
    "Predict with a run's model: raw units in, raw units out.\n\nA row gets the same prediction whatever stands "
    "beside it: dates, decimal marks, truth words and missing marks are read as they were in training."
)
HELP_OF_EXPORT = Sentence("Export a run as {formats:or}.")
HELP_OF_WATCH = Sentence(
    "Follow the curves of any TensorBoard log. On a terminal: the app; else, or with --tag or --json, once as text."
)
HELP_OF_DOCTOR = Sentence("Check devices, terminal and versions, and report what to fix.")
HEADS_OF_RUNS = Title("RUN|STATE|DATASET|NORMALIZATION|STEPS|TRAIN LOSS|VAL LOSS|SIZE|AGE|TAGS")
HEADS_OF_CURVES = Title("RUN|CURVE|POINTS|STEP|VALUE")
HELP_OF_PRUNE = Sentence(
    "Delete old runs for good, and empty the trash. Asks first. Runs with tags or a note, and live ones, stay."
)
USAGE = Sentence("{problem}{stop}")
HELP_OF_CHOICE = Sentence("{help}{allowed:if  [*]}{default:if  [default: *]}{kind:if  [applies to *]}")

entitle(globals())
