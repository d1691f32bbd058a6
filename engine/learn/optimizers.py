"""The update rules, as torch.optim defines them.

All parameters of a model lie in one flat vector, so a rule is a few operations on whole vectors. Defaults are torch's.
"""

from __future__ import annotations

from typing import Literal

FirstOrder = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
Optimizer = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lbfgs"]

BETA1, BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015
ADAGRAD_EPSILON = 1e-10  # Duchi, Hazan and Singer 2011
RMSPROP_DECAY, RMSPROP_EPSILON = 0.99, 1e-8  # Tieleman and Hinton 2012
MOMENTUM = 0.9

# How many vectors beside the parameters each rule remembers.
MEMORY: dict[str, int] = {
    "sgd": 0,
    "momentum": 1,
    "nesterov": 1,
    "adagrad": 1,
    "rmsprop": 1,
    "adam": 2,
    "adamw": 2,
}

# torch.optim.LBFGS for one outer iteration a step, the loss before it and at most 25 evaluations of its line search
# (torch's own limit, 1.25 evaluations for each iteration, leaves the line search none); tolerances are rounding.
LBFGS = {
    "max_iter": 1,
    "max_eval": 26,
    "tolerance_grad": 0,
    "tolerance_change": 1e-16,  # a fall of the loss that rounding hides: the line search would look for it in vain
    "history_size": 10,  # pairs of steps and gradient changes that stand for the curvature
    "line_search_fn": "strong_wolfe",
}
