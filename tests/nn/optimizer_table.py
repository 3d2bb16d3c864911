#!/usr/bin/env python3
"""Writes optimizer_table.txt: weights after steps of every optimizer, to 25 digits.

    /usr/bin/python3 tests/nn/optimizer_table.py > tests/nn/optimizer_table.txt  (Debian: python3-mpmath)

Nothing here comes from the engine: the updates are written from the algorithm boxes of PyTorch's
documentation (torch.optim, 2.x; Lion from algorithm 2 of arXiv:2302.06675), in 50 digits.

The gradient of step t at weight i, with neighbours taken round, is
    w_i^3 - a_i w_i + 0.3 (w_(i-1) + w_(i+1)) + ((7 t + 3 i) mod 11 - 5) / 50,
a quartic with two valleys a weight, and a pull that changes with every step.

A line is: name of the case, step, weights.
"""

from mpmath import mp, mpf

mp.dps = 50
SHOWN = (1, 2, 3, 5, 10, 20, 50, 100)
START = ["0.9", "-1.3", "0.05", "2.1", "-0.4"]
CURVE = ["1", "0.5", "2", "1.5", "0.25"]


def number(text):
    """As a program in double reads it."""
    return mpf(float(text))


def gradient(w, t):
    n = len(w)
    return [w[i] ** 3 - number(CURVE[i]) * w[i] + number("0.3") * (w[i - 1] + w[(i + 1) % n])
            + mpf((7 * t + 3 * i) % 11 - 5) / 50 for i in range(n)]


def sign(x):
    return (x > 0) - (x < 0)


# Each optimizer is a generator function of the step of one weight: it yields what to add to the
# weight, and is sent step, gradient and weight.

def sgd(lr="1e-3", momentum="0", dampening="0", weight_decay="0", nesterov=False):
    lr, mu, tau, wd = map(number, (lr, momentum, dampening, weight_decay))
    t, g, w = yield
    b = None
    while True:
        g += wd * w
        if mu != 0:
            b = g if b is None else mu * b + (1 - tau) * g
            g = g + mu * b if nesterov else b
        t, g, w = yield -lr * g


def adagrad(lr="0.01", lr_decay="0", weight_decay="0", initial="0", eps="1e-10"):
    lr, eta, wd, total, eps = map(number, (lr, lr_decay, weight_decay, initial, eps))
    t, g, w = yield
    while True:
        g += wd * w
        total += g * g
        t, g, w = yield -lr / (1 + (t - 1) * eta) * g / (mp.sqrt(total) + eps)


def adadelta(lr="1", rho="0.9", eps="1e-6", weight_decay="0"):
    lr, rho, eps, wd = map(number, (lr, rho, eps, weight_decay))
    t, g, w = yield
    v = u = mpf(0)
    while True:
        g += wd * w
        v = v * rho + g * g * (1 - rho)
        delta = mp.sqrt(u + eps) / mp.sqrt(v + eps) * g
        u = u * rho + delta * delta * (1 - rho)
        t, g, w = yield -lr * delta


def rmsprop(lr="0.01", alpha="0.99", eps="1e-8", weight_decay="0", momentum="0", centered=False):
    lr, alpha, eps, wd, mu = map(number, (lr, alpha, eps, weight_decay, momentum))
    t, g, w = yield
    v = b = mean = mpf(0)
    while True:
        g += wd * w
        v = alpha * v + (1 - alpha) * g * g
        spread = v
        if centered:
            mean = alpha * mean + (1 - alpha) * g
            spread = v - mean * mean
        step = g / (mp.sqrt(spread) + eps)
        if mu > 0:
            b = mu * b + step
            step = b
        t, g, w = yield -lr * step


def adam(lr="1e-3", beta1="0.9", beta2="0.999", eps="1e-8", weight_decay="0", amsgrad=False,
         decoupled=False):
    lr, b1, b2, eps, wd = map(number, (lr, beta1, beta2, eps, weight_decay))
    t, g, w = yield
    m = v = largest = mpf(0)
    while True:
        shrunk = lr * wd * w if decoupled else 0
        g += 0 if decoupled else wd * w
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        largest = max(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - b2**t)
        t, g, w = yield -shrunk - lr * (m / (1 - b1**t)) / (mp.sqrt(v_hat) + eps)


def adamw(weight_decay="0.01", **settings):
    return adam(weight_decay=weight_decay, decoupled=True, **settings)


def nadam(lr="2e-3", beta1="0.9", beta2="0.999", eps="1e-8", weight_decay="0",
          momentum_decay="4e-3", decoupled=False):
    lr, b1, b2, eps, wd, psi = map(number, (lr, beta1, beta2, eps, weight_decay, momentum_decay))
    t, g, w = yield
    m = v = mpf(0)
    product = mpf(1)
    while True:
        shrunk = lr * wd * w if decoupled else 0
        g += 0 if decoupled else wd * w
        mu = b1 * (1 - mpf("0.5") * number("0.96") ** (t * psi))
        mu_next = b1 * (1 - mpf("0.5") * number("0.96") ** ((t + 1) * psi))
        product *= mu
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        t, g, w = yield -shrunk - lr * m_hat / (mp.sqrt(v / (1 - b2**t)) + eps)


def adamax(lr="2e-3", beta1="0.9", beta2="0.999", eps="1e-8", weight_decay="0"):
    lr, b1, b2, eps, wd = map(number, (lr, beta1, beta2, eps, weight_decay))
    t, g, w = yield
    m = u = mpf(0)
    while True:
        g += wd * w
        m = b1 * m + (1 - b1) * g
        u = max(b2 * u, abs(g) + eps)
        t, g, w = yield -lr * m / ((1 - b1**t) * u)


def lion(lr="1e-4", beta1="0.9", beta2="0.99", weight_decay="0"):
    lr, b1, b2, wd = map(number, (lr, beta1, beta2, weight_decay))
    t, g, w = yield
    m = mpf(0)
    while True:
        step = -lr * (sign(b1 * m + (1 - b1) * g) + wd * w)
        m = b2 * m + (1 - b2) * g
        t, g, w = yield step


def rprop(lr="0.01", minus="0.5", plus="1.2", least="1e-6", most="50"):
    size, minus, plus, least, most = map(number, (lr, minus, plus, least, most))
    t, g, w = yield
    before = mpf(0)
    while True:
        turned = sign(g * before)
        size *= plus if turned > 0 else minus if turned < 0 else 1
        size = min(max(size, least), most)
        if turned < 0:
            g = mpf(0)
        before = g
        t, g, w = yield -sign(g) * size


CASES = {
    "sgd": lambda: sgd(),
    "sgd_fast": lambda: sgd(lr="0.05", weight_decay="0.1"),
    "sgd_momentum": lambda: sgd(lr="0.02", momentum="0.9"),
    "sgd_dampening": lambda: sgd(lr="0.05", momentum="0.8", dampening="0.3", weight_decay="0.02"),
    "sgd_nesterov": lambda: sgd(lr="0.02", momentum="0.9", weight_decay="0.01", nesterov=True),
    "adagrad": lambda: adagrad(),
    "adagrad_decay": lambda: adagrad(lr="0.1", lr_decay="0.02", weight_decay="0.05", initial="0.1"),
    "adadelta": lambda: adadelta(),
    "adadelta_decay": lambda: adadelta(lr="0.5", rho="0.95", eps="1e-4", weight_decay="0.1"),
    "rmsprop": lambda: rmsprop(),
    "rmsprop_momentum": lambda: rmsprop(lr="2e-3", momentum="0.7", weight_decay="0.03"),
    "rmsprop_centred": lambda: rmsprop(alpha="0.9", eps="1e-3", centered=True),
    "rmsprop_both": lambda: rmsprop(lr="1e-3", momentum="0.5", eps="1e-2", centered=True),
    "adam": lambda: adam(),
    "adam_fast": lambda: adam(lr="0.05", beta1="0.8", beta2="0.99", eps="1e-4", weight_decay="0.1"),
    "amsgrad": lambda: adam(lr="0.02", beta2="0.9", amsgrad=True),
    "adamw": lambda: adamw(),
    "adamw_fast": lambda: adamw(lr="0.03", weight_decay="0.2"),
    "adamw_amsgrad": lambda: adamw(lr="0.02", beta2="0.95", amsgrad=True),
    "nadam": lambda: nadam(),
    "nadam_fast": lambda: nadam(lr="0.02", momentum_decay="0.05", weight_decay="0.1"),
    "nadam_decoupled": lambda: nadam(lr="0.01", weight_decay="0.3", decoupled=True),
    "adamax": lambda: adamax(),
    "adamax_fast": lambda: adamax(lr="0.05", beta1="0.7", beta2="0.9", weight_decay="0.1"),
    "lion": lambda: lion(),
    "lion_fast": lambda: lion(lr="0.01", beta1="0.8", beta2="0.95", weight_decay="0.1"),
    "rprop": lambda: rprop(),
    "rprop_own": lambda: rprop(lr="0.05", minus="0.3", plus="1.5", least="1e-3", most="0.5"),
}


def trajectory(make):
    w = [number(x) for x in START]
    steps = [make() for _ in w]
    for s in steps:
        next(s)
    for t in range(1, max(SHOWN) + 1):
        g = gradient(w, t)
        w = [x + s.send((t, y, x)) for x, y, s in zip(w, g, steps)]
        yield t, w


if __name__ == "__main__":
    for name, make in CASES.items():
        for t, w in trajectory(make):
            if t in SHOWN:
                print(name, t, *[mp.nstr(x, 25) for x in w])
