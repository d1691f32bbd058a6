"""What tui/model says."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

RAW_FEATURES = Phrase("raw features")
TOO_HIGH = Sentence("Too high for {racers:and}, whose stable rates end below it; normalization raises that limit.")
STABLE_FOR_EACH = Sentence("It is stable for each of them; the larger κ is, the longer the way.")
SAME_OTHERWISE = Sentence("The same choices otherwise; only the scale of the features differs.")
AUTO_THE_SAME = Sentence("Learning rate auto: {reason}, {lr}, the same for every mode.")
AUTO_FOR_EACH = Sentence(
    "Learning rate auto: each mode has the one that suits it. The larger κ is, the longer the way all the same."
)
RACING = Title("{live} of {all} {state} · step {step:count} of {steps:count}")
SOME_DIVERGED = Sentence("{racers} diverged.")
NONE_RAN = Sentence("None of them could be run.")
FIRST = Sentence("{racer} {was} first within 1 % of the optimum (step {step:count}){last:if , *}.")
NOT_SO_FAR = Sentence("Not so far came {racers:and}.")
CLOSEST = Sentence("{racer} came closest: {measure}{far:if ; *}.")
FARTHEST = Phrase("{racer} {are} farthest: {measure}")
GAP_AFTER = Phrase("gap {gap} after {steps} steps")
LOSS_AFTER = Phrase("loss {loss} after {steps} steps")
GOING_ON = Phrase("going on")
ALL_DEFAULTS = Sentence("All choices are the defaults; {key} brings back what they were.")
AS_THEY_WERE = Sentence("The choices are what they were.")
FULL_SPEED = Phrase("as fast as it goes")
SPREAD = Phrase("a run is spread over {seconds:g} s")
PACE = Sentence("Pace: {pace}.")
STILL_RUNNING = Sentence("The run is {state}{pid:if  (pid *)}; this is its curve up to step {step:count}.")
CUT_OFF = Sentence(
    "Interrupted at step {step:count}: its process ended without a word. {key} in the list of runs resumes it from "
    "its last checkpoint."
)
ENDING_UNKNOWN = Sentence("Nothing is known of how it ended.")
CURVE_STAYS = Sentence("A run is going on; its curve stays. The panels have the choices of the other one.")
STOP_FIRST = Sentence("A run is going on; stop it first.")
MODULES_CHANGED = Sentence("{files:and} {count:has|have} changed since this run was made.")
AS_GIVEN = Phrase("as given")
READING_STOPPED = Sentence("Reading was stopped; choose a table, or the same one again.")
TRY_AGAIN = Sentence("{why} {key} tries again.")
STOP_WITH = Sentence("A run is going on; stop it with {key} first.")
STILL_CLOSING = Sentence("The run {run} is still closing its folder.")
SAVED = Title("Saved at step {step:count}: {run}")
BRANCHED_FROM = Phrase("branched from {run}")
ONE_RATE = Sentence("One learning rate for all{since:if  since step *}: {lr}. {meaning}")
LAST = Phrase("{racer} last (step {step:count})")
PAUSED = Phrase("paused")
ARE_RACING = Phrase("racing")
PREPARING = Phrase("preparing")
RACER_PREPARES = Title("{racer}: {activity}")
PRESET_TAKEN = Sentence("{preset}: {key} starts it.")
PRESET_TAKEN_LIVE = Sentence("{preset}: the panels have its choices; {key} begins a run with them.")

entitle(globals())
