"""What engine/doctor says."""

from engine.base.sentence import Phrase, Title, entitle

NO_CUDA = Phrase("no CUDA")
STEP_TIME = Phrase("{milliseconds:.3g} ms for {millions:.3g} M")
SPEED = Phrase("{device:8} a step of so many multiplications: {times}")
NOT_WRITABLE = Phrase(", not writable")
PLACE = Phrase("{path}, {gigabytes:.1f} GB free{state}")
NO_PROBLEMS = Phrase("no problems found")
NO_FLOAT64 = Phrase("no float64")
ASCII_ONLY = Phrase("ASCII only")
WHOLE_FRAMES = Phrase("whole frames")
OVER_SSH = Phrase("over SSH")
NO_GPUS = Phrase("no GPUs: {reason}")
MAYBE_RUNNING = Title(
    "Whether the run {run} still runs on {host} is not known here: look there, and if it does not, ravine resume "
    "{quoted} --take-over"
)
NOT_INSTALLED = Phrase("{name} is not installed: pip install {name}")
RUNS_READ_ONLY = Title("The runs folder {path} cannot be written: choose another with --runs DIR")
DISK_FULL = Title("The disk of {path} has {megabytes:.0f} MB left: free some, or choose another with --runs DIR")
LOOPS_READ_ONLY = Title(
    "Compiled loops cannot be saved to {path}, so each start compiles them anew: export "
    "NUMBA_CACHE_DIR=/a/folder/of/yours"
)
NO_COLOUR = Phrase("no colour (NO_COLOR is set)")
TRUE_COLOUR = Phrase("true colour")
NOT_UTF8 = Title("The locale is not UTF-8, so curves cannot be drawn in braille: export LANG=C.UTF-8")
TOO_SMALL = Title("The terminal is smaller than 80x24: enlarge it to see the whole trainer")
DUMB = Title("TERM is dumb, so nothing full-screen can be drawn: use `ravine train`, or set TERM")
FEW_COLOURS = Title("TERM is {name}, which has 16 colours; if the terminal has more: export TERM=xterm-256color")
TMUX_NO_CLIPBOARD = Title(
    "tmux does not pass copied text on to your own machine's clipboard: tmux set -s set-clipboard on"
)
TMUX_CLIPBOARD_UNKNOWN = Title(
    "tmux assumes that your terminal has no clipboard; if it has: tmux set -as terminal-features ',*:clipboard'"
)
TMUX_ESCAPE = Title("tmux delays Esc by {milliseconds} ms: tmux set -s escape-time 10")
TMUX_NAME = Title("tmux calls itself {name}, with few colours: tmux set -g default-terminal tmux-256color")
TMUX_COLOURS = Title(
    "tmux reduces colours to 256; if your terminal has them all: tmux set -as terminal-features ',*:RGB'"
)
TMUX_OLD = Title("{version} does not know its terminal's abilities, which 3.2 does: update tmux")
GPUS = Phrase("{gpus:count GPU}, driver {driver}")
COLOURS = Phrase("{count} colours")
NOT_SET = Phrase("not set")
ITS_HOST = Phrase("its host")
BLAS = Phrase("{name} {version}, {threads} threads{architecture:if , *}")
RUN = Phrase("{run}: {state}{pid:if , pid *}")
MEMORY = Phrase(", {total:.0f} GiB, {free:.0f} free")
LOCALE = Phrase("locale {name}")
PYTORCH = Title("PyTorch {version}, {cuda}")
BUILT_FOR = Phrase("for {architectures}")
DRIVER = Phrase("driver {version}")

entitle(globals())
