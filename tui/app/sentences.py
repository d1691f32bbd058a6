"""What tui/app says."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

ASKS_AGAIN = Phrase("{key} asks again")
PAUSED_FOR_SHELL = Sentence("Training pauses; fg resumes it.")
FG_BRINGS_BACK = Sentence("fg brings ravine back.")
STARTING_TENSORBOARD = Sentence("TensorBoard is starting…")
ADDRESS_COPIED = Phrase("{address} (copied)\n\nOver SSH, on your own machine first:\n{tunnel}")
SCRIPT_COPIED = Sentence("The script, {lines:count line}.")
COPIED = Title("{shown}\n\n{also}")
NO_SHELL = Sentence("There is no shell to go back to: nothing else runs in this terminal.")
NO_WAY_BACK = Sentence("This terminal cannot be left and come back to.")
KEYS_UNREADABLE = Sentence("The keys in {path} cannot be read: {reason}.")
BAD_KEY = Sentence('The key {name} in {path} is not a text such as "g" or "f5,ctrl+g"; dots need quotes.')
RESUMABLE = Phrase("one that was running can be resumed with `ravine resume last`")
FOR_HEADLESS = Sentence("{flag} is for training without a screen: ravine train with the same flags.")
NEEDS_TERMINAL = Sentence("The full-screen trainer needs a terminal; `ravine train` does the same without one.")
CRASHED = Sentence("ravine failed; the error is at the end of {path}. Runs are whole; {resume}.")
SHADOWED = Sentence(
    "ravine: Python has run {files} of this folder in the place of its own modules; rename the file, or take the "
    "folder (also an empty part) out of PYTHONPATH."
)
NO_ENGINE = Sentence("ravine: its own package engine is not in {folder}; install ravine again.")
HIDDEN_ENGINE = Sentence(
    "ravine: {file!r} hides its own package engine; rename it, or take its folder out of PYTHONPATH."
)
GRADIENT = Title("Gradient of an expression")
SCRATCHPAD = Sentence("A scratchpad: value, gradients and the graph as a tree; {example}.")
PRESET_FLAG = Title("--preset {name}")
CHOICES_UNREADABLE = Sentence("What was remembered of last time cannot be read ({path}); it starts afresh.")
CHOICES_GONE = Sentence("The choices of last time cannot be taken any more: {why}")
CHOICES_OF_LAST_TIME = Sentence("The choices are those of last time; {key} sets them back to the defaults.")
TABLE_GONE = Sentence("{table} of last time is not here any more; the choices are the defaults.")
THEME_NEEDS_NAME = Sentence("--theme needs a name. Themes: {themes}.")
NO_THEME = Sentence("There is no theme called {name}. Themes: {themes}.")
OWN_RECIPE = Title("Own recipe: {title}")
PRESET = Title("Preset: {title}")
VIEW = Title("View: {name}")

entitle(globals())
