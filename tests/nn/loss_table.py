#!/usr/bin/env python3
"""Writes loss_table.txt: losses and their gradients as PyTorch computes them, in double.

    python3 tests/nn/loss_table.py > tests/nn/loss_table.txt  (Debian: python3-torch)

A line is: loss, reduction, outputs, targets, value, gradient by the outputs, each list of numbers
in brackets. Outputs are [5, 4], targets [5, 4], [5, 2] or [5].
"""

import torch
from torch import nn

ROWS, COLUMNS = 5, 4
torch.set_default_dtype(torch.float64)
torch.manual_seed(6)

WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 3.0])


def any_numbers():
    # The last row is far out, where a softmax or a sigmoid leaves no digits to a naive formula.
    y = torch.randn(ROWS, COLUMNS) * 2
    y[-1] = torch.tensor([40.0, -35.0, 0.0, 30.0])
    return y


def probabilities():
    return torch.rand(ROWS, COLUMNS) * 0.98 + 0.01


def distributions():
    t = torch.softmax(torch.randn(ROWS, COLUMNS), -1)
    t[1] = torch.tensor([0.0, 0.25, 0.75, 0.0])
    return t


def zeros_and_ones():
    return (torch.rand(ROWS, COLUMNS) < 0.5).double()


def counts():
    return torch.randint(0, 6, (ROWS, COLUMNS)).double()


def classes():
    return torch.randint(0, COLUMNS, (ROWS,))


def classes_and_others():
    t = classes()
    t[1] = t[3] = -100
    return t


def gaussian(**settings):
    def made(reduction):
        loss = nn.GaussianNLLLoss(reduction=reduction, **settings)
        return lambda y, t: loss(y[:, :2], t, y[:, 2:])

    return made


def kl(of_logits):
    def made(reduction):
        loss = nn.KLDivLoss(reduction="batchmean" if reduction == "mean" else reduction)
        return lambda y, t: loss(torch.log_softmax(y, -1) if of_logits else y, t)

    return made


def plain(kind, **settings):
    return lambda reduction: kind(reduction=reduction, **settings)


CASES = [
    ("mean_squared_error", plain(nn.MSELoss), any_numbers, any_numbers),
    ("mean_absolute_error", plain(nn.L1Loss), any_numbers, any_numbers),
    ("huber(0.7)", plain(nn.HuberLoss, delta=0.7), any_numbers, any_numbers),
    ("binary_cross_entropy", plain(nn.BCEWithLogitsLoss), any_numbers, zeros_and_ones),
    ("binary_cross_entropy(positive_weights [0.5, 2, 1, 3])",
     plain(nn.BCEWithLogitsLoss, pos_weight=WEIGHTS), any_numbers, zeros_and_ones),
    ("binary_cross_entropy(positive_weights [2.5])",
     plain(nn.BCEWithLogitsLoss, pos_weight=torch.tensor([2.5])), any_numbers, probabilities),
    ("binary_cross_entropy_of_probabilities", plain(nn.BCELoss), probabilities, probabilities),
    ("softmax_cross_entropy", plain(nn.CrossEntropyLoss), any_numbers, classes),
    ("softmax_cross_entropy", plain(nn.CrossEntropyLoss), any_numbers, distributions),
    ("softmax_cross_entropy(label_smoothing 0.2)", plain(nn.CrossEntropyLoss, label_smoothing=0.2),
     any_numbers, classes),
    ("softmax_cross_entropy(class_weights [0.5, 2, 1, 3])",
     plain(nn.CrossEntropyLoss, weight=WEIGHTS), any_numbers, classes),
    ("softmax_cross_entropy(class_weights [0.5, 2, 1, 3])",
     plain(nn.CrossEntropyLoss, weight=WEIGHTS), any_numbers, distributions),
    ("softmax_cross_entropy(label_smoothing 0.2, class_weights [0.5, 2, 1, 3])",
     plain(nn.CrossEntropyLoss, label_smoothing=0.2, weight=WEIGHTS), any_numbers, classes),
    ("softmax_cross_entropy(label_smoothing 0.2, class_weights [0.5, 2, 1, 3])",
     plain(nn.CrossEntropyLoss, label_smoothing=0.2, weight=WEIGHTS), any_numbers, distributions),
    ("multiclass_hinge", plain(nn.MultiMarginLoss), any_numbers, classes),
    ("kl_divergence", kl(True), any_numbers, distributions),
    ("kl_divergence_of_log_probabilities", kl(False), any_numbers, distributions),
    ("gaussian_nll", gaussian(), probabilities, lambda: torch.randn(ROWS, 2)),
    ("gaussian_nll(smallest_variance 0.3, with_constant)", gaussian(eps=0.3, full=True),
     probabilities, lambda: torch.randn(ROWS, 2)),
    ("poisson_nll", plain(nn.PoissonNLLLoss), any_numbers, counts),
    ("poisson_nll_of_rates", plain(nn.PoissonNLLLoss, log_input=False), probabilities, counts),
    ("softmax_cross_entropy(ignored_index -100)", plain(nn.CrossEntropyLoss), any_numbers,
     classes_and_others),
    ("softmax_cross_entropy(label_smoothing 0.2, class_weights [0.5, 2, 1, 3], ignored_index -100)",
     plain(nn.CrossEntropyLoss, label_smoothing=0.2, weight=WEIGHTS), any_numbers,
     classes_and_others),
    ("poisson_nll(with_constant)", plain(nn.PoissonNLLLoss, full=True), any_numbers, counts),
    ("poisson_nll_of_rates(with_constant)", plain(nn.PoissonNLLLoss, log_input=False, full=True),
     probabilities, counts),
]


def numbers(x):
    return "[" + " ".join(repr(float(v)) for v in x.flatten()) + "]"


for name, make, outputs, targets in CASES:
    for reduction in ["mean", "sum", "none"]:
        y, t = outputs().requires_grad_(), targets()
        losses = make(reduction)(y, t)
        if reduction == "none" and name.startswith("kl_"):
            losses = losses.sum(-1)
        losses.sum().backward()
        print(f"{name}; {reduction}; {numbers(y.detach())}; {numbers(t)}; "
              f"{numbers(losses.detach())}; {numbers(y.grad)}")
