"""What engine/devices says."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

NO_ANSWER = Phrase("no answer")
LISTING_TIMED_OUT = Phrase("asking torch for its devices took over {seconds:.3g} s; check the driver with nvidia-smi")
TRIAL_TIMED_OUT = Phrase(
    "it gave no answer in {seconds:.3g} s; check it with nvidia-smi, and restart the machine if that hangs too"
)
EXIT_CODE = Phrase("exit code {code}")
TRIAL_CRASHED = Phrase("trying it ended the process ({how}): {said}")
NO_TORCH = Phrase("PyTorch does not start: {said}")
NVIDIA_GPU = Title("NVIDIA GPU")
APPLE_GPU = Title("Apple GPU")
CONTAINER_CORES = Sentence("The container gives it {share} of {cores} cores.")
SLURM_CORES = Sentence("Slurm gives the task {task} of {cores} cores (SLURM_CPUS_PER_TASK).")
UNUSABLE = Title("The device {device} ({title}) cannot be used: {why}")
UNUSABLE_BUT = Sentence("The device {device} cannot be used: {why}; usable here: {usable}.")
NO_DEVICE = Sentence("There is no device {device} that PyTorch can see{why:if : *}; usable here: {usable}.")
FLOAT32_OR_CPU = Phrase("float32 or --device cpu")
NO_PRECISION = Sentence("The device {device} has no {precision}; choose --precision {other}.")
EMULATED = Sentence(
    "{precision} is emulated on {device}, which lacks the instructions: slower than float32 and less exact; choose "
    "--precision float32."
)
NO_DRIVER = Phrase("no NVIDIA driver is loaded; install it, then check with nvidia-smi")
BUSY = Phrase(
    "it is busy: another process holds it alone (exclusive mode), or it is being reset; nvidia-smi shows by whom, "
    "and sudo nvidia-smi -c DEFAULT lets several processes in"
)
MEMORY_FULL = Phrase("its memory is full{room}; {by}")
VANISHED = Phrase("it has vanished since it was listed; nvidia-smi shows what is left, a reboot brings it back")
DRIVER_UPDATED = Phrase("the driver was updated while it was loaded (driver and library differ): reboot")
FAULT = Phrase("it reports a fault of its own: {said}")
BUILT_FOR_OTHERS = Phrase("this PyTorch is built for {architectures}, this GPU is {capability}")
INSTALL_BUILD = Phrase("{reason}: install a build for it with `{command}`")
NO_BUILD = Phrase("{reason}, which no build on pytorch.org serves any more: use --device cpu")
BUILDS_TOO_NEW = Phrase("{reason}: its builds on pytorch.org need a newer driver than CUDA {cuda}")
NO_CUDA = Phrase("this PyTorch ({version}) is built without CUDA: install a build with it by `{command}`")
MIG_SLICE = Sentence("A slice of a GPU (MIG), given by CUDA_VISIBLE_DEVICES={name}; CUDA gives a process one slice.")
GPU_BY_UUID = Sentence("The GPU {name} of this machine, by CUDA_VISIBLE_DEVICES.")
GPU_BY_NUMBER = Sentence("The machine's GPU {name}, by CUDA_VISIBLE_DEVICES.")
ALL_HIDDEN = Title("CUDA_VISIBLE_DEVICES={value!r} hides every NVIDIA GPU: unset CUDA_VISIBLE_DEVICES")
SOME_HIDDEN = Sentence("CUDA_VISIBLE_DEVICES={value}: cuda:0 is the first of these, other GPUs are hidden.")
SLURM_GPUS = Sentence("The Slurm job {job} was given the GPUs {gpus}.")
SLURM_NO_GPU = Sentence("The Slurm job {job} was given no GPU: ask for one with --gres=gpu:1.")
HIDDEN = Phrase("CUDA_VISIBLE_DEVICES hides every NVIDIA GPU: unset CUDA_VISIBLE_DEVICES")
NO_GPU = Phrase("there is no NVIDIA GPU")
MIG = Sentence("A slice of a GPU (MIG): its memory and cores are this slice's own.")
WRONG_ARITHMETIC = Phrase("its arithmetic is wrong: check the driver")
OTHER_GPUS = Phrase("other GPUs")
MEMORY_LEFT = Phrase(": {free:.1f} of {memory:.1f} GiB are free")
SEE_HOLDER = Phrase("nvidia-smi shows which process holds it")
DRIVER_TOO_OLD = Phrase(
    "the driver{driver:if  *}{serves:if  serves CUDA *}, this PyTorch needs {cuda}: update the driver{need:if  to "
    "* or newer}{command:if , or install an older build with `*`}"
)
NEWER_CUDA = Phrase("a newer CUDA")
HOLDS = Phrase("{process} (pid {pid}{user:if , user *}) holds {memory:.1f} GiB")
HOLDS_A_PART = Phrase("{process} (pid {pid}{user:if , user *}) holds a part")
ANOTHER_PROCESS = Phrase("another process")

entitle(globals())
