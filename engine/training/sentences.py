"""What is said about a run: before it, on its way, and where it fails."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

MODULES_CHANGED = Sentence(
    "{files:and} {count:has|have} changed since this run was last made; it continues with the new version."
)
DATA_CHANGED = Sentence(
    "The data of the run {run} has changed since ({dataset}); bring the old table back, or resume with the new one "
    "with --changed-data."
)
NOT_OF_THIS_RUN = Sentence(
    "The checkpoint of {path} does not belong to its recipe: {why}; `ravine train --recipe {quoted}` starts the "
    "run again."
)
BEST_IS_NOT = Phrase("its best weights are not: {why}")
NOT_STARTED = Sentence("The run could not start: {why}.")
LOST = Sentence("{why} What it wrote before is saved.")
FAILED_UNWRITTEN = Sentence("The run failed: {why}; and {path} cannot be written: {reason}.{safe:if  *}")
FAILED = Sentence("The run failed: {why}. The traceback is in {path}.")
PREPARING_ROWS = Phrase("preparing the rows")
STARTING_BACKEND = Phrase("starting the {backend} backend on {device}")
CHANGED_FROM = Sentence("From step {step:count} on: {label} {value}.")
SAFE_UP_TO = Sentence("It is safe up to step {step:count}; `ravine resume {quoted}` continues from there.")
CANCELLED = Sentence("Cancelled before the first step.")
AUTO_AT_END = Phrase("auto chooses another at the end of the run")
MARK = Title("{label} {value}")
READING = Phrase("reading {dataset}")
OTHER_LOSSES = Sentence(
    "{path} has lost the losses of steps {first:count} to {last:count}; it is not the file of this run. `ravine "
    "train --recipe {quoted}` starts it again."
)
LOSSES_LOST = Sentence("{path} has lost the losses of steps {first:count} to {last:count}; they stay empty.")
OF_SYSTEM = Phrase("{reason}{path:if  (*)}")
FOLDER_GONE = Sentence("The run ended: its folder {path} was deleted or moved while it trained.")
FOLDER_GONE_RESTART = Sentence(
    "The run ended: its folder {path} was deleted or moved while it trained; start it again, or resume it from "
    "where it lies now."
)
NO_ROOM = Sentence(
    "The run needs {needed:bytes} on the disk of {place}, which has {free:bytes} free: take fewer --steps, or "
    "--runs on a larger disk."
)
NO_ROOM_FOR_EVENTS = Sentence(
    "The run needs {needed:bytes} on the disk of {place}, which has {free:bytes} free: write fewer points with "
    "--log-every auto, or take fewer --steps, or --runs on a larger disk."
)
LITTLE_ROOM = Sentence(
    "The run needs {needed:bytes} on the disk of {place}, which has {free:bytes} free; it must end before its last "
    "step, or take fewer --steps, or --runs on a larger disk."
)
LITTLE_ROOM_FOR_EVENTS = Sentence(
    "The run needs {needed:bytes} on the disk of {place}, which has {free:bytes} free; it must end before its last "
    "step, or write fewer points with --log-every auto, or take fewer --steps, or --runs on a larger disk."
)
WILL_TAKE = Sentence("The run will take {size:bytes} of the {free:bytes} free on the disk of {place}: {parts}.")
SIZE_OF_LOSSES = Phrase("the loss of {steps:count} steps {size:bytes}")
SIZE_OF_EVENTS = Phrase("TensorBoard {size:bytes}")
SIZE_OF_ALL_EVENTS = Phrase("TensorBoard {size:bytes} (--log-every auto makes it small)")
SIZE_OF_EVALUATIONS = Phrase("evaluations {size:bytes} (--eval-every makes them fewer)")
SIZE_OF_CHECKPOINTS = Phrase("checkpoints {size:bytes}")
WILL_TAKE_MEMORY = Sentence("It will take about {size:bytes} of memory beside its table.")
WILL_TAKE_MEMORY_OF = Sentence("It will take about {size:bytes} of memory beside its table, most of it on {device}.")
WILL_STREAM = Sentence(
    "It will take about {size:bytes} of memory beside its table, and {free:bytes} are free: rows that do not fit "
    "are streamed, which is slower."
)
DISK_FULL = Sentence(
    "The disk is full: {path} cannot be written ({reason}). No checkpoint of the run is on the disk yet; make "
    "room, then `ravine train --recipe {quoted}` starts it again."
)
DISK_FULL_BUT_SAVED = Sentence(
    "The disk is full: {path} cannot be written ({reason}). The run is safe up to step {step:count}; make room, "
    "then `ravine resume {quoted}` continues from there."
)


entitle(globals())
