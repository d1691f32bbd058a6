"""The tags of the losses' curves, as TensorBoard has them."""

TRAIN = "loss/train"
VALIDATION = "loss/validation"
