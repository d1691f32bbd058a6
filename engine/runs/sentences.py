"""What is said about run folders and their files."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

WEIGHTS_NEED_MEMORY = Sentence(
    "{path} takes {needed:,.1f} GB, and {free:,.1f} GB of memory are free; use a machine with more, or close other "
    "processes."
)

NO_FINITE_VALUE = Title("(no finite value)")
NO_CHECKPOINT_FILE = Sentence(
    "There is no checkpoint {path}: the run ended before its first one, or it was taken away. ravine train "
    "--recipe {quoted} starts it again."
)
CHECKPOINT_DAMAGED = Sentence(
    "The checkpoint {path} is damaged: {reason}; `ravine train --recipe {quoted}` starts the run again."
)
BAD_LINES = Sentence(
    "{path} has {lines:count line} that {lines:is|are} not what ravine writes, and left out ({named}{more:if ; and "
    "* more})."
)
IS_NO_JSON = Phrase("it is not JSON")
NO_CURVE = Sentence("The run {run} has no curve {tag}; it has {tags}.")
NO_LOSSES = Sentence("The run {run} has lost its loss.f64.")
NO_RUN_FOLDER = Sentence("There is no folder {path}: the run was deleted, moved or given another name.")
NOT_A_RUN = Sentence("{path} is not a run folder: it has no run.json.")
FACTS_UNREADABLE = Sentence("{path} cannot be read ({reason}); the run's other files may still be whole.")
NO_FORMAT_NUMBER = Sentence("{path} is not what ravine writes: it has no format number.")
NEWER_FORMAT = Sentence("{path} is of format {format}, this ravine reads up to {most}; install a newer ravine.")
BAD_FACTS = Sentence("{path} has an unexpected entry: {reason}; the run's other files may be whole.")
RUN_EXISTS = Sentence("There is already a run {path}; choose another --name or delete that folder.")
RUNS_READ_ONLY = Sentence("The runs folder {path} cannot be written: {reason}; choose another with --runs.")
NO_NAME_LEFT = Sentence("There are ten thousand runs called {name} in {path}; choose another --name.")
FOLDER_GONE = Phrase("its folder was deleted or moved while it trained")
INTERRUPTED_AT_ONCE = Sentence("Interrupted, and ended at once; resume the run from its last checkpoint.")
FORMULAS = Sentence(
    "Text that begins with =, +, - or @ is written as it is: {columns}; a spreadsheet may take it for a formula, "
    "so import these columns as text."
)
BAD_NAME = Sentence("A run cannot be called {name!r}: {why}.")
NAME_TAKEN = Sentence("There is already a run {path}; choose another name.")
NO_TRASH = Sentence("{path} cannot be made: {reason}.")
NOT_IN_TRASH = Sentence("{run} is not in the trash any more.")
NOT_DELETED = Sentence("{path} cannot be deleted: {reason}.")
RUNNING_THERE = Sentence("The run {run} is still running{paused} on {host}{pid:if  (pid *)}; stop it there first.")
RUNNING_HERE = Sentence("The run {run} is still running{paused} here{pid:if  (pid *)}; stop it first.")
MAYBE_RUNNING = Sentence(
    "Whether the run {run} is still running {where} is not known here; once you are sure that it is not, take it "
    "over: ravine resume {quoted} --take-over, or ravine runs prune --take-over."
)
NOT_LOCKED = Sentence(
    "The run {run} cannot be locked: {reason} ({path}); its folder has to be one that you may write to, with room "
    "on its disk."
)
JUST_TAKEN = Sentence("Another process has just taken the run {run}; see its state with ravine runs.")
NO_CLASSES = Sentence("{target} is a number, not one of several classes; use predict.")
BAD_ROW = Sentence("Row {row} is neither a mapping by name nor a sequence of {count:count value}: {names}.")
THE_MAPPING = Phrase("The mapping")
NOT_ROWS = Sentence(
    "A {kind} cannot be predicted from; give a frame, an array [rows, {columns}] or a list of mappings."
)
BAD_SHAPE = Sentence("The array has shape {shape}; the model takes [rows, {columns}] with the columns {names}.")
THE_ARRAY = Phrase("The array")
COLUMN_TWICE = Sentence("There is more than one column {name}; the first is taken.")
UNEQUAL = Sentence("{what} has columns of different lengths.")
BAD_TAG = Sentence("A tag is one word or a few, without commas, of at most {most} letters: {tag!r} is not.")
NOT_WRITTEN = Sentence("{path} cannot be written: {reason}.")
NOTHING_TO_RESUME = Sentence(
    "The run {run} has no checkpoint to resume from; `ravine train --recipe {quoted}` starts it again."
)
NO_CHECKPOINT_OF_STEP = Sentence("The run {run} has no checkpoint of step {step:count}; it has {steps}.")
RESUMED_ELSEWHERE = Sentence("The run {run} was resumed meanwhile in another process; resume it again.")
THE_HEADER = Phrase("the header")
NOT_KEPT = Sentence("A column to keep cannot be written: {reason}; leave it out of --keep.")
NUMBERS = Phrase("a number, or a list of numbers")
A_WHOLE_NUMBER = Phrase("a whole number")
WRONG_ROWS = Phrase("result.{name} has {rows:count row} for {features:count feature}")
RAGGED_ROWS = Phrase("result.{name} has rows of different lengths")
OTHER_OUTPUTS = Phrase("result.{name} and its bias have different numbers of outputs")
IS_NULL = Phrase("{name} is null")
NUMBER_OR_TEXT = Phrase("a number or a text")
NO_DATE_FORMAT = Phrase("{place} is not a format of dates")
OTHER_FEATURES = Phrase("{name} has {size:count feature}, where there are {features:count}")
SCALE_ZERO = Phrase("a scale is 0")
REGRESSION_OUTPUTS = Phrase(
    "a regression has {outputs:count output} and {classes:count class|classes}, where it has 1 and none"
)
CLASS_OUTPUTS = Phrase("{classes:count class|classes} have {outputs:count output}")
NO_POSITIVE = Phrase("positive is none of its classes")
OTHER_HIDDEN = Phrase("architecture.hidden is not that of its model family")
TYPICAL_UNKNOWN = Phrase("{place}.typical is none of its categories")
CATEGORY_TWICE = Phrase("{place}.categories has one twice")
NO_NUMBERS = Phrase("{place}.typical, low or high is not a number")
TERM_OF_NOTHING = Phrase("encoder.terms has one of columns that do not exist")
MADE_FEATURES = Phrase("encoder makes {made:count feature}, where there are {features:count}")
JUST_NOW = Phrase("just now")
RUNS_UNREADABLE = Sentence("The runs folder {path} cannot be read: {reason}.")
BAD_ENTRY = Sentence("{path} has an unexpected entry: {reason}.")
NO_RUNS = Sentence("There are no runs in {path}; train one first, or name their folder with --runs.")
NO_RUN = Sentence("There is no run {run} in {path}; `ravine runs` lists them.")
NOT_SAFETENSORS = Phrase("it is incomplete, or not a safetensors file")
IS_DAMAGED = Phrase("it is damaged")
NO_METADATA = Phrase("its metadata has no {key}")
LINE = Phrase("line {number}: {why}")
COLUMN_AND_COUNT = Phrase("{column} ({count:count})")
NO_RUN_TO_DELETE = Sentence("{path} is not a run folder; nothing was deleted.")
NO_RUN_TO_RENAME = Sentence("{path} is not a run folder; nothing was renamed.")
NOT_RENAMED = Sentence("{path} cannot be renamed: {reason}.")
NOT_RESTORED = Sentence("{path} cannot be restored: {reason}.")
PAUSED = Phrase(", paused,")
ON_HOST = Phrase("on {host}{pid:if  (pid *)}")
SOMEWHERE = Phrase("somewhere else")
TAKEN_OVER = Sentence(
    "The run {run} was taken over by another process (pid {pid} on {host}); this one has stopped writing to its folder."
)
LOCK_REMOVED = Sentence(
    "The run {run} lost its lock, which somebody removed; this one has stopped writing to its folder."
)
THE_FRAME = Phrase("The {library} frame")
AGO = Phrase("{number:.0f} {unit} ago")
SEVERAL_RUNS = Sentence("{count:count} runs begin with {begin}: {runs:some}; give more of the name.")
NO_NAME_GIVEN = Sentence("{count:count} runs could be meant: {runs:some}; give the name of one.")

ALREADY_TAKEN = Sentence(
    "The run {run} has taken {step:count} steps already, and {steps:count} are asked for; --steps is the total "
    "number of steps."
)

NO_ONNX_OF_CLASS = Sentence(
    "{module} is a class of your own, whose formulas ravine does not know; export it with torch.onnx.export, or "
    "use --format predictor for ravine's own models."
)
NO_ONNX_OF_MODEL = Sentence("The model {model} has no ONNX nodes; use --format predictor or safetensors instead.")
NO_ONNX_OF_ACTIVATION = Sentence(
    "The activation {activation} has no ONNX nodes; use --format predictor or safetensors instead."
)
ENDED_BEFORE_CHECKPOINT = Phrase("it ended before its first checkpoint")
MODEL_TAKEN_AWAY = Phrase("the file was taken away; `ravine resume {quoted}` with a few more --steps writes it again")
NO_MODEL = Sentence("The run {path} has no model.safetensors: {why}.")
MODEL_DAMAGED = Sentence("The model {path} is damaged: {reason}; {remedy}.")
NEWER_MODEL = Sentence("The model {path} is of format {format}; install a newer ravine.")
BAD_MODEL = Sentence("The model {path} is not what ravine writes: {reason}; {remedy}.")
RESUME_TO_WRITE = Phrase("`ravine resume {quoted}` with a few more --steps writes it again")
TRAIN_AGAIN = Phrase("`ravine train --recipe {quoted}` trains it again")
NOT_FLOAT64 = Phrase("the array {name} is of {dtype}, not of float64")
ARRAY_MISSING = Phrase("the array {name} is missing")
ARRAY_SHAPE = Phrase("the array {name} has the shape {shape}, not {wanted}")
ARRAY_MISSING_OR = Phrase("the array {name} is missing, or not of {wanted}")
TRAIN_LOSS = Title("train loss")
VALIDATION_LOSS = Title("validation loss")
OPTIMUM_LOSS = Title("loss of the optimum")
GAP = Title("gap to optimum")
BASELINE_LOSS = Title("loss of the baseline")
CONDITION_NUMBER = Title("condition number")
LAST_RATE = Title("learning rate at the end")
STABLE_RATE = Title("largest stable learning rate")
SECONDS = Title("seconds of training")
PACE = Title("steps per second")
NOT_ENDED = Sentence("It has not ended yet.")
RESUMED_AT = Sentence("Resumed at step {steps}.")
GIT_COMMIT = Sentence("Git commit {commit}.")
RAW_WEIGHTS = Title("Weights in the columns' own units")
RAW = Title("in its own unit")
CHOICES = Title("Choices that are not the defaults")
CHANGES = Title("Changes during the run")
BEFORE_UPDATE = Title("before update")
ALL_TAKEN = Sentence("The run {run} has taken all its {steps:count} steps; `{command}` takes more.")
NO_SCRIPT_OF_CLASS = Sentence(
    "{module} is a class of your own, which a script without it cannot compute; use `ravine predict` or "
    "engine.load, or export with --format safetensors."
)
PREDICT_FROM = Sentence("Predict {target}: {model} trained on {table}, run {run}.")
NO_LINES_OF_MODEL = Sentence("The model {model} has no lines for predict.py; use --format safetensors instead.")
NO_PORT = Sentence("No port is free on this host's loopback; stop another server.")
METRICS_OF_IT = Sentence("{decision} Precision, recall, F1 and the areas are of it.")
BY_STEP = Title("**{tag}**, by step")
LOGARITHMIC_BY_STEP = Title("**{tag}**, logarithmic, by step")
STEPS = Title("steps")
EPOCHS = Title("epochs")
BEGUN = Sentence("Begun {time} on {host}.")
MADE_WITH = Sentence("{backend} backend, {precision}, {device}, {threads} thread(s); {versions}.")
METRICS = Title("Metrics")
WEIGHTS = Title("Weights")
RESULT = Title("Result")
DATA = Title("Data")

PREDICTING = Phrase("predicting {table}")
MORE_ROWS = Phrase("… {rows} more")

IS_A_FOLDER = Sentence("{path} is a folder; give a file's name.")
FILE_EXISTS = Sentence("There is already a file {path}.")
NOT_MADE = Sentence("{path} cannot be made: {reason}.")

entitle(globals())
