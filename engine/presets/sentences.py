"""What is said about presets."""

from engine.base.sentence import Sentence, entitle

NO_PRESET = Sentence("There is no preset {name}; there are {names}.")
NO_PRESET_BUT_NEAR = Sentence("There is no preset {name}; did you mean {near}?")

entitle(globals())
