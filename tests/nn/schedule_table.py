#!/usr/bin/env python3
"""Writes schedule_table.txt: the rates of 40 epochs of every schedule.

    /usr/bin/python3 tests/nn/schedule_table.py > tests/nn/schedule_table.txt

Nothing here comes from the library: each rate is made from the one before, as the schedulers of
PyTorch (torch.optim.lr_scheduler, 2.x) do it at every step(), not by a closed form.

A line is: name of the case, rates. The line "monitored" holds what reduce_on_plateau looks at, after
each epoch.
"""

import math

EPOCHS = 40
BASE = 0.5
MONITORED = [round(2 / (1 + 0.3 * min(k, 9)) + 0.05 * ((5 * k) % 7 - 3) / 3 + 0.002 * max(0, k - 22),
                   6) for k in range(EPOCHS)]


def step_lr(every, gamma):
    lr = BASE
    for t in range(EPOCHS):
        if t > 0 and t % every == 0:
            lr *= gamma
        yield lr


def multi_step_lr(at, gamma):
    lr = BASE
    for t in range(EPOCHS):
        lr *= gamma ** at.count(t)
        yield lr


def exponential_lr(gamma):
    lr = BASE
    for t in range(EPOCHS):
        lr *= gamma if t > 0 else 1
        yield lr


def polynomial_lr(length, power):
    lr = BASE
    for t in range(EPOCHS):
        if 0 < t <= length:
            lr *= ((1 - t / length) / (1 - (t - 1) / length)) ** power
        yield lr


def cosine_lr(length, lowest, epochs=EPOCHS):
    lr = BASE
    for t in range(epochs):
        if t > 0 and (t - 1 - length) % (2 * length) == 0:
            lr += (BASE - lowest) * (1 - math.cos(math.pi / length)) / 2
        elif t > 0:
            lr = ((1 + math.cos(math.pi * t / length)) / (1 + math.cos(math.pi * (t - 1) / length))
                  * (lr - lowest) + lowest)
        yield lr


def restarts_lr(length, growth, lowest):
    now = 0
    for _ in range(EPOCHS):
        yield lowest + (BASE - lowest) * (1 + math.cos(math.pi * now / length)) / 2
        now += 1
        if now >= length:
            now -= length
            length *= growth


def one_cycle_lr(length, share, linear, three, start_divisor=25, end_divisor=1e4):
    start = BASE / start_divisor
    end = start / end_divisor
    if three:
        phases = [(share * length - 1, start, BASE), (2 * share * length - 2, BASE, start),
                  (length - 1, start, end)]
    else:
        phases = [(share * length - 1, start, BASE), (length - 1, BASE, end)]
    for t in range(EPOCHS):
        if t >= length:
            yield end
            continue
        begin = 0
        for until, a, b in phases:
            if t <= until or until == length - 1:
                part = (t - begin) / (until - begin)
                yield (b - a) * part + a if linear else b + (a - b) / 2 * (
                    math.cos(math.pi * part) + 1)
                break
            begin = until


def plateau_lr(lower=True, factor=0.1, patience=10, threshold=1e-4, relative=True, cooldown=0,
               lowest=0, eps=1e-8):
    lr, best, bad, cooling = BASE, math.inf if lower else -math.inf, 0, 0
    for value in MONITORED:
        yield lr
        if lower:
            better = value < (best * (1 - threshold) if relative else best - threshold)
        else:
            better = value > (best * (threshold + 1) if relative else best + threshold)
        if better:
            best, bad = value, 0
        else:
            bad += 1
        if cooling > 0:
            cooling -= 1
            bad = 0
        if bad > patience:
            reduced = max(lr * factor, lowest)
            if lr - reduced > eps:
                lr = reduced
            cooling, bad = cooldown, 0


def warm_up_lr(length, start, then):
    lr = BASE * start
    for t in range(length):
        if t > 0:
            lr *= 1 + (1 - start) / (length * start + (t - 1) * (1 - start))
        yield lr
    yield from then


CASES = {
    "constant": ([BASE] * EPOCHS),
    "step": step_lr(7, 0.3),
    "multi_step": multi_step_lr([3, 11, 11, 30], 0.4),
    "exponential": exponential_lr(0.9),
    "polynomial": polynomial_lr(25, 1),
    "polynomial_power": polynomial_lr(40, 2.5),
    "cosine": cosine_lr(40, 0),
    "cosine_short": cosine_lr(12, 0.1),
    "restarts": restarts_lr(9, 1, 0.02),
    "restarts_growing": restarts_lr(5, 2, 0),
    "one_cycle": one_cycle_lr(40, 0.3, False, False),
    "one_cycle_linear": one_cycle_lr(30, 0.25, True, False, 10, 100),
    "one_cycle_three": one_cycle_lr(40, 0.4, False, True),
    "one_cycle_three_linear": one_cycle_lr(37, 0.3, True, True, 5, 50),
    "plateau": plateau_lr(patience=2),
    "plateau_absolute": plateau_lr(factor=0.5, patience=1, threshold=0.03, relative=False,
                                   cooldown=3),
    "plateau_higher": plateau_lr(lower=False, factor=0.3, patience=4, threshold=0.01, lowest=0.05),
    "plateau_higher_absolute": plateau_lr(lower=False, factor=0.7, patience=3, relative=False,
                                          cooldown=1, eps=0.06),
    "warm_up": warm_up_lr(5, 1 / 3, cosine_lr(35, 0, 35)),
    "warm_up_constant": warm_up_lr(8, 0.25, [BASE] * 32),
}

if __name__ == "__main__":
    print("monitored", *MONITORED)
    for name, rates in CASES.items():
        print(name, *rates)
