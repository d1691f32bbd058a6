"""What tui/terminal says."""

from engine.base.sentence import Sentence, Title, entitle

ALSO_IN = Title("Also in {path}")
NOT_IN_FILE = Sentence("It could not be written to a file as well.")
GNU_SCREEN = Sentence("GNU screen keeps copied text to itself; take it from the file.")

entitle(globals())
