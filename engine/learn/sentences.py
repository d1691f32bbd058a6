"""What is said about models, training steps and how a run ended."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

# How a run ended.
ENDING = Sentence("{opening} {standing}{flat:if  *}{advice:if  *}")
ALL_STEPS = Sentence("All {steps:count} steps are done.")
STOPPED = Sentence("Stopped at step {step:count} of {steps:count}.")
INTERRUPTED = Sentence("Interrupted at step {step:count} of {steps:count}; resume the run to continue from there.")
OUT_OF_TIME = Sentence("The time limit ended it at step {step:count} of {steps:count}.")
TARGET_REACHED = Sentence("The target loss {loss:g} was reached at step {step:count}.")
SETTLED = Sentence("Converged within the tolerance {tol:g} at step {step:count} of {steps:count}.")
OUT_OF_PATIENCE = Sentence(
    "No better loss for {patience} evaluations: ended at step {step:count} of {steps:count}, with the weights of "
    "step {best:count}."
)
ENDED = Sentence("Ended at step {step:count}.")
LOSSES = Sentence(
    "Train loss {train}{validation:if , validation loss *}{rounding:if  (*)}{optimum:if ; *}{baseline:if ; *}."
)
REST_IS_ROUNDING = Phrase("what is left is rounding")
SEPARABLE = Phrase("a plane separates the classes, so the loss falls to 0 as the weights grow for ever (use --l2)")
OPTIMUM = Phrase("optimum {loss} (gap to optimum {gap})")
OPTIMUM_WITH_PENALTY = Phrase("optimum with the L2 penalty {loss} (gap to optimum {gap})")
BASELINE = Phrase("baseline ({constant}) {loss}")
FLAT = Sentence("The loss has been flat since step {step:count}.")
OVERFIT_STOP = Sentence("Overfitting: the validation loss is {times} the train loss; stop early with --patience 10.")
OVERFIT_PENALTY = Sentence("Overfitting: the validation loss is {times} the train loss; add --l2 0.01 or more rows.")
UNDERFIT = Sentence("Underfitting: the model explains next to nothing; try --degree 2, --model mlp, or other features.")
TIMES = Phrase("{number} times")
MILLIONS_OF_TIMES = Phrase("over ten million times")
INFINITE = Phrase("infinite to rounding")
VANISHED = Sentence("Progress has all but vanished in a flat direction.")
TRY_NORMALIZATION = Sentence("{start:if * }κ is {kappa}; try --normalize {mode}.")
MORE_STEPS = Sentence(
    "{start:if * }At this learning rate about {steps} more steps bring the gap to the optimum under {gap:g}."
)
TRY_LARGER_RATE = Sentence("A learning rate up to {bound:.3g} is stable; try --lr {lr}.")
NOISY_BATCHES = Sentence("Batches of {batch} leave noise in the loss; decay the learning rate with --schedule cosine.")
STILL_FALLING = Sentence("{start:if * }The loss is still falling; try --steps {steps}.")
LINEAR_MODEL = Phrase("a linear model")
MODEL_WITHOUT_LAYERS = Phrase("a model without hidden layers")
CONVERGED = Sentence("It has converged to the optimum of {model} on these rows.")
CONVERGED_FEW_ROWS = Sentence(
    "It has converged to the optimum of {model} on these rows; to do better, try more rows or other features."
)
CONVERGED_MORE = Sentence(
    "It has converged to the optimum of {model} on these rows; to do better, try --degree 2, --model mlp or other "
    "features."
)
WORSE_THAN_BASELINE = Sentence(
    "That is worse than the baseline ({constant}): the outputs have not reached the target's size."
)
NORMALIZE_TARGET = Sentence("{start:if * }Try --normalize-target.")
RESTLESS = Sentence(
    "At a constant learning rate absolute errors keep fluctuating; decay the learning rate with --schedule cosine."
)
PLATEAU = Sentence("The validation loss was least at step {step:count}; it has plateaued.")
DIVERGED = Sentence("Diverged at step {step:count}: {what}{scale:if ; *}.{rate:if  *} {advice}")
LOSS_ROSE = Phrase("the loss rose to {loss:.2g}, over a million times its initial value")
LOSS_NOT_FINITE = Phrase("the loss is no longer a finite number")
LARGEST_SCALE = Phrase("{feature} has the largest scale, up to {scale}")
RATE_TOO_LARGE = Sentence("Learning rate {lr:.4g} is above {bound:.4g}, the largest stable one for {of}{scale:if ; *}.")
STABLE_WITH = Sentence("With --normalize {mode} this learning rate is stable; without it try --lr {lr}.")
NORMALIZE = Sentence("Try --normalize {mode}.")
TRY_RATE = Sentence("Try --lr {lr}.")

# The change that an ending offers.
PATIENCE = Title("patience {evaluations}")
L2 = Title("L2 {penalty:g}")
DEGREE = Title("degree {degree}")
NORMALIZATION = Title("{mode} normalization")
STEPS = Title("{steps:count} steps")
LEARNING_RATE = Title("learning rate {lr}")
COSINE_SCHEDULE = Title("cosine schedule")
NORMALIZED_TARGET = Title("a normalized target")

# The health of parameters.

NOT_CHOSEN = Phrase("the run {how} before another was chosen")
CHOOSING_THRESHOLD = Phrase("choosing the threshold: fold {fold} of {folds}")
FOLD_DIVERGED = Phrase("no other was chosen, since a model without a fifth of the rows diverged")
CHOICE_STOPPED = Phrase("the choice of another was stopped")
FINDING_OPTIMUM = Phrase("finding the optimum")
FINDING_RATE = Phrase("looking for a learning rate")
DECIDED = Sentence("The positive class is {class_}, decided from a probability of {threshold:.4g} on{why:if : *}.")
NO_LOGARITHM = Phrase("a logarithm takes numbers above 0")
NO_ROOT = Phrase("a square root takes numbers of at least 0")
DIVIDES_BY_ZERO = Phrase("it divides by 0")
NO_POWER = Phrase("a negative number has no real power that is not whole")
NO_POWER_OF_ZERO = Phrase("0 has no negative power")
NAME_TAKEN = Sentence("{name} is a {kind}; give the variable another name.")
NOT_FINITE = Sentence("{name} is {value}; it must be a finite number.")
NO_FUNCTION_BUT_NEAR = Sentence("There is no function {name}; did you mean {near}?")
NO_FUNCTION = Sentence("There is no function {name}; there are {functions}.")
NO_VALUE_BUT_PRODUCT = Sentence("{name} has no value; did you mean {product}?")
NO_VALUE = Sentence("{name} has no value; give one, such as {name} = 1.")
TOO_LARGE_HERE = Sentence("{part} is too large a number here.")
ONE_NUMBER = Sentence("{function} takes one number, not {count}.")
NO_MEANING = Sentence("“{part}” has no meaning in an expression.")
UNDEFINED = Sentence("{part} is not defined at {values}: {why}.")
TOO_LONG = Sentence("The expression has {characters:count} characters; up to {most:count} are read.")
NO_MEANING_AT = Sentence("“{character}” has no meaning in an expression, at “{rest}”.")
NO_EXPRESSION = Sentence("There is no expression; write one such as log((3x + 4y)^2).")
NEEDS_PARENTHESES = Sentence("{name} needs parentheses: {name}(…).")
ENDS_EARLY = Sentence("The expression ends after “{text}”, where a number or a name is missing.")
MISSING_BEFORE = Sentence("A number or a name is missing before “{text}”.")
SIGN_MISSING = Sentence("A sign is missing between “{left}” and “{right}”.")
NOT_CLOSED = Sentence("The parenthesis at “{text}” is not closed.")
TOO_DEEP = Sentence("The expression has more than {most} {what} inside each other.")
USUAL_BLEW_UP = Phrase("the usual one, since a trial run blew up at {rate:.2g} already")
USUAL_FELL_NOWHERE = Phrase("the usual one, since the loss of a trial run fell at no rate")
SHARE_OF_LEAST = Phrase("{share} of {rate:.2g}, where the loss of a trial run was least")
SHARE_OF_MIDDLE = Phrase("{share} of {rate:.2g}, between the least loss of a trial run and where it blew up")
NAN_OF = Phrase("{parameter} has {count:count} NaN of {size:count}")
IS_INFINITE = Phrase("{parameter} is infinite")
EXPLODES = Phrase("{parameter} is exploding (up to {largest:.2g})")
GRADIENT_NOT_FINITE = Phrase("the gradient of {parameter} is no longer finite")
GRADIENT_VANISHES = Phrase("the gradient of {parameter} is vanishing ({gradient:.1g} against weights of {weights:.2g})")
DEAD_UNITS = Phrase("{count:count} of {units:count} units of {layer} {count:is|are} 0 for every train row")
NO_MEMORY = Sentence(
    "The memory of {device} does not hold the rows and the model{neighbour:if : beside this run * of it}; choose "
    "another --device."
)
DEVICE_FAILED = Sentence("The device {device} cannot be used: {reason} Try --device cpu.")
WHOLE_BATCHES = Sentence("{placement} Batch norm needs whole batches: choose a --batch-size, not full.")
MODEL_FAILS = Sentence("Model {model} fails on a batch {shape}: {error}: {said}.")
RECORDED = Sentence("A step is recorded once and replayed (a CUDA graph).")
LAUNCHED_ONE_BY_ONE = Sentence("Steps are launched one by one: {why}.")
OTHER_MASKS = Sentence(
    "The checkpoint comes from another kind of device: from step {step:count} on dropout draws other masks than "
    "the run would have drawn there."
)
NOT_BIT_FOR_BIT = Sentence("This is not bit for bit the run that would have continued: {why}.")
NOT_CHANGED_BY_AUTOGRAD = Sentence("The autograd backend cannot change {field} during a run.")
PLAIN_ATTRIBUTES = Phrase(
    "{model} keeps {names} as plain attributes, which a checkpoint does not hold; register_buffer makes them a "
    "part of it"
)
HIDDEN_GENERATOR = Phrase(
    "{model} draws random numbers that cannot be found; keep its generator as an attribute of the module"
)
SPECTRAL = Sentence("spectral: the loss of every step at once, from the eigenvectors of the quadratic loss.")
COMPILED = Sentence("compiled: loops in machine code on the processor, with nothing between the steps.")
AS_ASKED = Sentence("{backend}, as asked for.")
AUTOGRAD_COMPILED = Sentence("autograd: PyTorch computes the gradient, as torch.compile was asked for.")
BACKEND_REFUSES = Sentence("The {backend} backend {why}; or leave out --backend.")
COMPILING_MODEL = Phrase("compiling the model")
NO_LOOPS_FOR = Phrase("has loops for models of ravine's own, not for {model}")
NO_LOOP_FOR_LAYERS = Phrase("has no loop for dropout and batch norm")
NO_LOOP_FOR_ACTIVATION = Phrase("has no loop for the activation {activation}")
NO_LOOP_FOR_LOSS = Phrase("has no loop for the loss {loss}")
FLOATS_ONLY = Phrase("works in float32 and float64, not {precision} (--precision float32)")
CPU_ONLY = Phrase("works on the cpu, not on {device} (--device cpu)")
LOADING_LOOPS = Phrase("loading the compiled loops")
NOT_CHANGED_BY_COMPILED = Sentence("The compiled backend cannot change {field} to {value} during a run.")
NOT_COMPILED = Sentence("torch.compile cannot compile the model {model} here ({reason}); leave out --compile.")
OTHER_BACKEND = Phrase("it is of the backend {backend}, and the run's is {wanted}")
NO_WHOLE_NUMBER = Phrase("{name} is not a whole number")
NO_NUMBER = Phrase("{name} is not a number")
OUTSIDE_ROWS = Phrase("it stands outside of the {rows:count} train rows")
NO_OPTIMIZER = Phrase("there is no optimizer {optimizer}")
BACKEND_HAS_NO = Phrase("the backend {backend} has no optimizer {optimizer}")
ARRAY_MISSING = Phrase("the array {name} is missing")
NO_GENERATOR_STATE = Phrase("the state of the generator is not one")
OTHER_ARRAY = Phrase("the array {name} is {dtype} {shape}, not {wanted} {size}")
NO_LBFGS_ARRAY = Phrase("the array lbfgs:{name} is missing, or not of {size:count} parameters")
LBFGS_INCOMPLETE = Phrase("the memory of L-BFGS is not complete")
ONLY_NVIDIA = Phrase("only an NVIDIA GPU replays a recording")
PYTHON_ONCE = Phrase("what your own module does in Python would be done once only")
DROPOUT_DRAWS = Phrase("dropout draws its masks from the run's own generator")
SCALING_LOOKS = Phrase("fp16's loss scaling looks at every gradient")
MODULE_NOT_IMPORTED = Sentence("The module {module} cannot be imported: {error}: {said}.")
NO_CLASS_IN_MODULE = Sentence("The module {module} has no class {name}{why:if ; *}.")
CLASS_FAILED = Sentence(
    "{module}({inputs}, {outputs}), called with the numbers of inputs and outputs, failed: {error}: {said}."
)
NO_PARAMETERS = Sentence("{module} has no parameters to train.")
TF32_OFF = Sentence(
    "float32 products keep all 24 bits: TF32, which keeps 11, is off. --precision bf16 is the fast choice."
)
BF16 = Sentence(
    "bf16: products are computed with 8 bits (autocast), weights, losses and updates stay float32; losses differ "
    "from float32's in the third digit."
)
FP16 = Sentence(
    "fp16: products are computed with 11 bits in a narrow range (autocast), weights and updates stay float32; the "
    "loss is scaled so that small gradients survive, and an update whose gradient overflows is left out."
)
NO_DISK = Sentence(
    "The rows take {needed:memory} on disk, which {folder} does not have ({reason}): point TMPDIR at a larger disk, "
    "or choose fewer rows or columns."
)
LINEAR_ONLY = Phrase("follows the mean squared error of a linear model, not model {model} with loss {loss}")
FULL_BATCHES_ONLY = Phrase("follows full batches, not batches of {batch:count} (--batch-size full)")
CONSTANT_RATE_ONLY = Phrase("follows a constant learning rate, without schedule and warm-up (--schedule constant)")
NO_L1_NOR_CLIP = Phrase("does not follow an L1 penalty or gradient clipping")
FLOAT64_ONLY = Phrase("works in float64, not {precision} (--precision float64)")
FINITE_SQUARES = Phrase("needs features whose squares are finite numbers (--normalize {mode})")
TOO_MANY_FEATURES = Phrase("decomposes at most {most:count} features, not {features:count}")
NOT_CHANGED_BY_SPECTRAL = Sentence("The spectral backend cannot change {field} during a run.")
A_NUMBER = Phrase("a number")
ONE_OF_TWO = Phrase("one of two classes")
MODEL_DOES_NOT_FIT = Sentence(
    "Model {model} does not fit the target {target}, which is {what}: choose --model {others:or}, or set --task."
)
LOSS_DOES_NOT_FIT = Sentence(
    "Loss {loss} does not fit model {model} and the target {target} ({task}); choose {fitting:or}."
)
TARGET_TOO_LARGE = Sentence(
    "The target {target} has numbers too large to compute their squares; divide the column by a power of ten first."
)
WARMUP_TOO_LONG = Sentence("Warm-up takes {warmup:count} steps, the run has {steps:count}; make it shorter.")
OF_FULL_BATCHES = Phrase("full batches")
OF_MEAN = Phrase("the mean over batches")
OF_BATCHES = Phrase("batches of {batch}")
AS_GIVEN = Phrase("as given")
HALF_OF_BOUND = Phrase("half of {bound:.4g}, the largest stable rate for {of}")
USUAL_FOR = Phrase("the usual one for {optimizer}")
NO_BOUND = Phrase("no stability bound is known here")
MEASURED = Sentence(
    "On {device} a step of this model takes about {time}, on {other} {longer} ({ratio:.2g} times as long), as "
    "measured on this machine."
)
DEVICE_GONE = Phrase("it is not there any more")
FASTER_BUT = Sentence("{device} would be faster, but cannot be used now: {why}. `ravine doctor` tells more.")
USUALLY_FASTER = Sentence("So large a step is usually faster on a GPU; `ravine doctor` measures it on this machine.")
TOO_FEW_OF_CLASS = Phrase("{rows} train rows of a class are too few to choose another")
CHOSEN_FOR_F1 = Phrase("it was chosen for F1 on {folds} folds of the train rows ({scores})")
NO_BETTER = Phrase("no other is better than deciding every row alike ({scores})")
NO_GAIN = Phrase("no other gains more than the standard error of {error:.2g} ({scores})")
SCORES = Phrase("F1 out of fold: {half:.3g} at 0.5, {chosen:.3g} at thresholds that were chosen")
REACHED_LIMIT = Phrase("reached its time limit")
WAS_STOPPED = Phrase("was stopped")
WAS_INTERRUPTED = Phrase("was interrupted")
CONSTANT = Phrase("constant")
FUNCTION = Phrase("function")
NOT_OPENED = Sentence("“{text}” is a closing parenthesis without an opening one after “{before}”.")
NOT_EXPECTED = Sentence("“{text}” is not expected after “{before}”.")
PARENTHESES = Phrase("parentheses")
AUTOGRAD = Sentence("autograd: PyTorch computes the gradient, as the compiled backend {why}.")
BESIDE_THIS_RUN = Sentence("Beside this run {neighbour} of it.")
NO_ROW_FITS = Sentence(
    "The memory of {device} did not hold a step on {rows:count row}, nor on one: choose a smaller model, or "
    "another --device.{beside:if  *} The run is saved as of step {step:count}."
)
FITS_NOW = Sentence(
    "The memory of {device} did not hold a step on {rows:count row}, though it does now: something else has taken "
    "it for a moment. Resume the run.{beside:if  *} The run is saved as of step {step:count}."
)
FEWER_FIT = Sentence(
    "The memory of {device} did not hold a step on {rows:count row}; {fits:count row} {fits:fits|fit}: "
    "--batch-size {size}.{beside:if  *} The run is saved as of step {step:count}."
)
BATCH_SIZE = Title("batch size {rows:count}")
NO_MODULE_MADE = Sentence("{module} makes a {kind}, not a torch.nn.Module.")
DETERMINISTIC = Sentence("Deterministic: only algorithms that give the same bits every time.")
DETERMINISTIC_GPU = Sentence(
    "Deterministic: only algorithms that give the same bits every time, some of them slower; equal runs on equal "
    "GPUs and versions are equal to the bit."
)
IN_MEMORY = Sentence(
    "The rows take {needed:memory}, more than a third of the {free:memory} free on {device}: they stay in the host's "
    "memory and are streamed in blocks, one ahead."
)
IN_FILE = Sentence(
    "The rows take {needed:memory}, more than a third of the {free:memory} free on {device}: they lie in a temporary "
    "file under {folder} (TMPDIR moves it) and are streamed in blocks, one ahead; --shuffle blocks reads it in "
    "order and is much faster."
)
TOO_LITTLE_FREE = Sentence("{device} has {free:.1f} of {total:.1f} GiB free, too little for this model: {neighbour}.")
TOO_LITTLE_FREE_SEE = Sentence(
    "{device} has {free:.1f} of {total:.1f} GiB free, too little for this model; nvidia-smi shows what holds the rest."
)
ON = Phrase("on {device} {neighbour}")
MOST_FREE = Sentence(
    "{why} {device} has the most free memory of {gpus} such GPUs, {free:.1f} of {total:.1f} GiB{on:if ; *}."
)
HALF_PRODUCTS = Phrase("products are computed in {precision}, weights and losses stay in float32")
BROADCAST = Phrase(" ({what} broadcast over {rows:count} rows)")
TWO = Phrase("{one} and {other}")
POWERS = Phrase("powers")

NO_LOOP_FOR_MODEL = Phrase("has no loop for the model {model}")
A_CLASS = Phrase("a class")

TRY_SECOND_ORDER = Sentence(
    "{start:if * }At this learning rate it takes about {steps} more steps to bring the gap to the optimum under "
    "{gap:g}; try --optimizer {optimizer}."
)
NO_RATE_TO_FIND_BY = Sentence(
    "{rule} finds the length of its steps itself; choose another optimizer to look for a learning rate."
)
FULL_BATCHES_FIRST = Sentence("{rule} works on full batches; change the batch size to full first.")
RULE_CANNOT_CLIP = Sentence("{rule} cannot clip gradients: its line search needs the true ones; leave clip at none.")
OTHER_RULE_FIRST = Sentence("{rule} works on full batches; change the optimizer first.")
FIRST_ORDER_ONLY = Phrase("has loops for first-order optimizers, not for {optimizer} (--optimizer {usual})")
NO_LOOP_FOR_RULE = Phrase("has no loop for the optimizer {optimizer}")
RULE_DECIDES = Phrase("{rule} decides in each iteration how often to look at the loss")
DESCENT_ONLY = Phrase("follows plain gradient descent (--optimizer {wanted}), not {optimizer}")
MODEL_GIVES = Sentence("Model {model} gives {found} for a batch {shape}, not {wanted}.")

entitle(globals())
