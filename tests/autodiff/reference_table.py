#!/usr/bin/env python3
"""Writes reference_table.txt: every row of autodiff/ops.def at hard points, to 25 digits.

    /usr/bin/python3 tests/autodiff/reference_table.py > tests/autodiff/reference_table.txt  (Debian: python3-mpmath)

Nothing here comes from the engine: a row is its mathematical value, and the derivatives are central
differences of that value in as many digits as it takes for two different precisions to agree.

A line is: name, arguments (hexadecimal), value, slopes, second derivatives (upper triangle of the
Hessian, row by row). Kinks, poles and infinite results are not here: they are conventions, and have
tests of their own.
"""

import multiprocessing
import re
import sys

from mpmath import mp, mpf

DIGITS = 25


# The mathematics.

def gaussian(x):
    return mp.exp(-x * x)


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def gelu_gate(x):
    return sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3))


def mish_gate(x):
    return mp.tanh(mp.log1p(mp.exp(x)))


def logistic_pdf(x):
    e = mp.exp(-abs(x))
    return e / (1 + e) ** 2


def cbrt(x):
    return mp.sign(x) * mp.cbrt(abs(x))


def erfcx(x):
    if x < 20:
        return mp.exp(x * x) * mp.erfc(x)
    return mp.hyperu(mpf(1) / 2, mpf(1) / 2, x * x) / mp.sqrt(mp.pi)


def ierfcx(n, x):
    """exp(x^2) i^n erfc(x), by Kummer's U: DLMF 7.18.10 (for x > 0), else by the recurrence."""
    n = int(n)
    if x > 1:
        return mp.hyperu(mpf(n + 1) / 2, mpf(1) / 2, x * x) / mpf(2) ** n / mp.sqrt(mp.pi)
    before, now = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
    for i in range(1, n + 1):
        before, now = now, (before - 2 * x * now) / (2 * i)
    return now


def erfinv(x):
    return mp.erfinv(x)


def lgamma(x):
    return mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x)


def selu(x):
    alpha = mpf("1.6732632423543772848170429916717")
    return mpf("1.0507009873554804934193349852946") * (x if x > 0 else alpha * mp.expm1(x))


def nearest(x):
    whole = mp.floor(x)
    rest = x - whole
    if rest == mpf(1) / 2:
        return whole + (int(whole) & 1)
    return whole + (1 if rest > mpf(1) / 2 else 0)


def truncated(x):
    return mp.floor(x) if x >= 0 else mp.ceil(x)


def xlogy(a, b):
    return a * mp.log(b) if a != 0 else mpf(0)


def log_sum_exp(a, b):
    return mp.log(mp.exp(a) + mp.exp(b))


# The points.

HUGE = [1e18, 1e77, 1e155, 1e300]
TINY = [5e-324, 1e-310, 2.2250738585072014e-308, 1e-200, 1e-155, 1e-45, 1.5e-38, 1e-20]
MIDDLE = [1e-10, 1e-5, 0.01, 0.125, 0.3, 0.5, 0.75, 1.25, 2.0, 3.7, 10.0, 20.5]
LARGE = [37.0, 88.5, 103.0, 345.0, 709.0, 740.0, 1e5, 1e10]


def both(xs):
    return [s * x for x in xs for s in (1, -1)]


def beside(root, xs):
    """Without a point next to a zero of the slope, where digits cancel in every number type."""
    return [x for x in xs if x != root]


NEAR_ONE = [1 - 2.0**-53, 1 - 2.0**-24, 1 - 2.0**-10, 0.9]
ANY = both(TINY[::2] + MIDDLE + LARGE[::2] + HUGE[::2])
POSITIVE = TINY + MIDDLE + LARGE[::2] + HUGE + [1 + 2.0**-52, 1 - 2.0**-53, 1 + 2.0**-23, 1.0]
TAILS = both(TINY[1::3] + MIDDLE + LARGE[:-1] + [1e100])
ANGLES = both(TINY[::3] + MIDDLE + [1.5707963267948966, 3.141592653589793, 355.0, 1e5, 1e22, 1e300])
UNIT = both(TINY[::3] + MIDDLE[:7] + NEAR_ONE)
GAMMA = TINY[2::2] + MIDDLE + [1.0, 1.4616321449683622, 1.46, 1.5, 30.0, 100.5, 140.0, 170.0] + [
    -x for x in (1e-200, 1e-20, 1e-5, 0.3, 0.5, 0.75, 1.0001, 1.5, 1.9, 2.3, 3.5, 10.25, 30.5,
        99.75)]
STEPS = both([1e-310, 0.3, 0.75, 1.25, 2.5001, 3.7, 1e5 + 0.25, 2251799813685248.5])

UNARY = {
    "negate": (lambda x: -x, ANY),
    "square": (lambda x: x * x, both([1e-150, 1e-20, 0.3, 1.25, 3.7, 1e5, 1e18, 1e150])),
    "inverse": (lambda x: 1 / x, both([1e-100, 1e-20, 0.3, 1.25, 3.7, 1e5, 1e18, 1e100])),
    "sqrt": (mp.sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), POSITIVE),
    "cbrt": (cbrt, both(TINY + MIDDLE[::2] + HUGE + [27.0, 1000.0])),
    "exp": (mp.exp, TAILS),
    "exp2": (lambda x: mpf(2) ** x, both(TINY[1::3] + MIDDLE + [50.3, 126.5, 500.25, 1020.5])),
    "exp10": (lambda x: mpf(10) ** x, both(TINY[1::3] + MIDDLE + [37.3, 100.25, 300.5])),
    "expm1": (mp.expm1, TAILS),
    "log": (mp.log, POSITIVE),
    "log2": (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    "log10": (lambda x: mp.log(x) / mp.log(10), POSITIVE),
    "log1p": (mp.log1p, ANY[::2] + [-x for x in TINY[::2] + MIDDLE[:7] + NEAR_ONE]),
    "sin": (mp.sin, ANGLES),
    "cos": (mp.cos, ANGLES),
    "tan": (mp.tan, ANGLES),
    "sinpi": (lambda x: mp.sin(mp.pi * x), both(TINY[2:] + MIDDLE + [0.25, 1.0, 2.5, 1e5 + 0.25,
        2.0**52 + 1])),
    "cospi": (lambda x: mp.cos(mp.pi * x), both(TINY[2:] + MIDDLE + [0.25, 1.0, 2.5, 1e5 + 0.25,
        2.0**52 + 1])),
    "asin": (mp.asin, UNIT),
    "acos": (mp.acos, UNIT),
    "atan": (mp.atan, ANY),
    "sinh": (mp.sinh, TAILS),
    "cosh": (mp.cosh, TAILS),
    "tanh": (mp.tanh, both(TINY[1::3] + MIDDLE + [15.0, 30.0, 37.0, 88.5, 300.0, 350.0])),
    "asinh": (mp.asinh, ANY),
    "acosh": (mp.acosh, [1 + 2.0**-52, 1 + 2.0**-23, 1.001, 1.1, 1.25, 1.9, 2.0, 3.7, 20.5, 1e5,
        1e10, 1e100, 1e300]),
    "atanh": (mp.atanh, UNIT),
    "gaussian": (gaussian, both(TINY[1::3] + MIDDLE + [5.123, 8.7, 15.3, 26.1])),
    "erf": (mp.erf, both(TINY[1::3] + MIDDLE + [5.123, 8.7, 15.3, 26.1])),
    "erfc": (mp.erfc, both(TINY[1::3] + MIDDLE + [5.123, 8.7, 15.3, 26.1])),
    "erfcx": (erfcx, TINY[::2] + MIDDLE + [0.4999, 5.1, 26.5, 50.5, 1e5, 1e100, 1e150, -1e-5, -0.3,
        -1.25, -3.7, -8.7, -20.5, -25.9]),
    "erfinv": (erfinv, both(TINY[4::2] + MIDDLE[:7] + NEAR_ONE + [0.499, 0.999])),
    "normal_pdf": (lambda x: gaussian(x / mp.sqrt(2)) / mp.sqrt(2 * mp.pi),
        both(TINY[1::3] + MIDDLE + [5.123, 8.7, 15.3, 26.1, 37.1])),
    "normal_cdf": (normal_cdf, both(TINY[1::3] + MIDDLE + [5.123, 8.7, 15.3, 26.1, 37.1])),
    "tgamma": (mp.gamma, GAMMA),
    "lgamma": (lgamma, GAMMA + [1e5, 1e18, 1e100, 1e300]),
    "digamma": (lambda x: mp.digamma(x), GAMMA + [1e5, 1e18, 1e100]),
    "trigamma": (lambda x: mp.psi(1, x), [x for x in GAMMA if abs(x) > 1e-100] + [1e5, 1e18,
        1e100]),
    "abs": (abs, ANY),
    "sign": (mp.sign, ANY[::3]),
    "heaviside": (lambda x: mpf(1) if x > 0 else mpf(0), ANY[::3]),
    "floor": (mp.floor, STEPS),
    "ceil": (mp.ceil, STEPS),
    "round": (lambda x: mp.sign(x) * mp.floor(abs(x) + mpf(1) / 2),
        [x for x in STEPS if abs(x) < 1e10]),
    "trunc": (truncated, STEPS),
    "relu": (lambda x: x if x > 0 else mpf(0), ANY[::2] + ANY[1::4]),
    "selu": (selu, TAILS),
    "hard_tanh": (lambda x: max(-mpf(1), min(mpf(1), x)), ANY[::2] + ANY[1::4]),
    "softsign": (lambda x: x / (1 + abs(x)), ANY),
    "sigmoid": (sigmoid, TAILS),
    "logistic_pdf": (logistic_pdf, TAILS),
    "log_sigmoid": (lambda x: -mp.log1p(mp.exp(-x)), TAILS),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), TAILS),
    "silu": (lambda x: x * sigmoid(x), beside(-1.25, TAILS)),
    "mish_gate": (mish_gate, both(TINY[1::3] + MIDDLE + [37.0, 88.5, 300.0])),
    "mish": (lambda x: x * mish_gate(x), beside(-1.25, both(TINY[1::3] + MIDDLE + [37.0, 88.5,
        300.0, 740.0]))),
    "gelu": (lambda x: x * normal_cdf(x), beside(-0.75, both(TINY[1::3] + MIDDLE + [5.123, 8.7,
        15.3, 26.1, 36.1]))),
    "gelu_gate": (gelu_gate, both(TINY[1::3] + MIDDLE + [5.123, 8.7, 15.3])),
    "gelu_tanh": (lambda x: x * gelu_gate(x), beside(-0.75, both(TINY[1::3] + MIDDLE + [5.123, 8.7,
        15.3]))),
}

PAIRS = [(0.3, 1.25), (2.0, 0.5), (1e-5, 3.7), (20.5, 0.01), (1e10, 0.3), (1e-20, 1e5),
    (1e100, 1e-50), (0.75, 0.7499), (3.7, 1e18)]
SIGNED = [(s * a, t * b) for a, b in PAIRS for s in (1, -1) for t in (1, -1)]
BETWEEN_JUMPS = [(a, b) for a, b in SIGNED if abs(a / b) < 1e50 and (2 * a / b) % 1 != 0]
SHARES = [(0.3, -1.25), (2.0, 0.5), (700.1, -3.3), (-3.3, 700.7), (1e5, 1e5 - 30.3),
    (-1e5, -1e5 + 0.3), (1e-20, 0.0),
          (-740.5, 0.3), (0.25, 0.25), (-0.7, -0.6875), (1e300, 1e299), (37.7, 0.1),
              (-0.3, 88.7), (5e-324, 12.0)]

BINARY = {
    "add": (lambda a, b: a + b, SIGNED[::3]),
    "subtract": (lambda a, b: a - b, SIGNED[::3]),
    "multiply": (lambda a, b: a * b, SIGNED[::3]),
    "divide": (lambda a, b: a / b, SIGNED + [(1e300, 1e200), (1e-300, 1e-200), (1e-310, 2.0),
        (5e-324, 1.5)]),
    "pow": (lambda a, b: a**b, [
        (1e300, 0.1), (1e-300, 0.1), (1e-310, 0.5), (1e200, 1.5), (1e-200, 1.5), (0.3, 1.25),
            (2.0, 3.0), (2.0, -3.0), (1.25, 700.5),
        (0.75, -700.5), (3.7, 0.01), (1e-5, 20.5), (1 + 2.0**-52, 1e10), (1 - 2.0**-53, 1e15),
            (10.0, 1e-20), (0.5, 1e-310),
        (1.5, 1e5 / 64), (1e10, -30.5), (0.01, -2.0), (5.0, 1.0), (1e-155, 2.0), (7.5, 2.0),
            (20.5, 0.5), (1.0, 2.5), (1e18, 17.1)]),
    "ldexp": (lambda a, n: a * mpf(2) ** n, [(1.25, 3.0), (-0.3, -7.0), (3.7, 0.5),
        (1e-300, 1000.0), (1e300, -1000.0), (5e-324, 1074.0), (-1e-310, 1030.5), (2.0, -20.25)]),
    "hypot": (lambda a, b: mp.hypot(a, b), SIGNED + [(1e300, 1e300), (3e-310, 4e-310),
        (5e-324, 5e-324), (1e-155, 2e-155), (1e160, 1e155), (0.0, 2.0)]),
    "atan2": (mp.atan2, SIGNED + [(1e300, 1e300), (1e-300, 2e-300), (1e-155, 2e-155),
        (1e160, 1e155), (0.3, 0.0), (1e-200, 1.0)]),
    "log_sum_exp": (log_sum_exp, SHARES),
    "log_diff_exp": (lambda a, b: mp.log(mp.exp(a) - mp.exp(b)), [(0.3, -1.25), (2.0, 0.5),
        (700.1, -3.3), (1e5, 1e5 - 30.3), (1.0, 1 - 2.0**-53), (1.0, 1 - 2.0**-24), (0.75, 0.1),
        (-3.3, -740.5), (88.7, 0.3), (-1e5, -1e5 - 0.3), (1e-20, -1e-20)]),
    "softmax_share": (lambda a, b: 1 / (1 + mp.exp(b - a)), SHARES),
    "bose": (lambda a, b: 1 / mp.expm1(a - b),
        [p for p in SHARES if p[0] != p[1] and abs(p[0]) < 1e100]),
    "xlogy": (xlogy, [(a, abs(b)) for a, b in SIGNED] + [(0.3, 1 + 2.0**-52), (1e-310, 2.0),
        (2.0, 1e-310), (0.0, 2.5)]),
    "xlog1py": (lambda a, b: a * mp.log1p(b), [(a, b) for a, b in SIGNED if b > -1] + [(0.3,
        1e-300), (2.0, -1 + 2.0**-53), (1.5, 1e-20)]),
    "max": (max, SIGNED[::2]),
    "min": (min, SIGNED[::2]),
    "fmax": (max, SIGNED[::2]),
    "fmin": (min, SIGNED[::2]),
    "copysign": (lambda a, b: abs(a) * mp.sign(b), SIGNED[::2]),
    "fmod": (lambda a, b: a - b * truncated(a / b), BETWEEN_JUMPS + [(5.3, -2.0), (-5.3, 2.0),
        (1e300, 3.7), (1e300, 1e290), (1e-310, 3e-320), (5.999999999999999, 2.0),
        (6.000000000000001, 2.0)]),
    "remainder": (lambda a, b: a - b * nearest(a / b), BETWEEN_JUMPS + [(5.3, -2.0), (-5.3, 2.0),
        (1e300, 3.7), (1e300, 1e290), (1e-310, 3e-320), (4.999999999999999, 2.0),
        (5.000000000000001, 2.0)]),
    "leaky_relu": (lambda a, b: a if a > 0 else a * b, [(a, abs(b)) for a, b in SIGNED[::2]]),
    "elu": (lambda a, b: a if a > 0 else b * mp.expm1(a), [(x, b) for x in (-1e5, -300.5, -37.0,
        -3.7, -0.3, -1e-5, -1e-300, 1e-300, 0.3, 88.0) for b in (1.0, 0.3)]),
    "lbeta": (lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), [
        (0.3, 1.25), (2.0, 0.5), (3.7, 9.9), (12.5, 20.5), (30.0, 1e5), (0.3, 50.5), (1e5, 2e5),
            (0.01, 3.7), (1.5, 1e5), (70.5, 0.3), (1e-200, 2.0)]),
    "digamma_difference": (lambda a, b: mp.digamma(a + b) - mp.digamma(a), [
        (0.3, 1.25), (2.0, 0.5), (3.7, 9.9), (12.5, 20.5), (30.0, 1e5), (0.3, 50.5), (1e5, 2e5),
            (0.01, 3.7), (1.5, 1e5), (0.01, 700.5)]),
    "ierfcx": (ierfcx, [(n, x) for n in (1, 2, 5) for x in (-8.7, -1.25, -0.3, 1e-300, 1e-5, 0.3,
        0.4999, 0.75, 1.25, 3.7, 20.5, 1e5, 1e50)]),
    "polygamma": (lambda n, x: mp.psi(int(n), x), [(n, x) for n in (1, 2, 3, 6) for x in (1e-20,
        0.01, 0.3, 1.0, 1.4616321449683622, 3.7, 30.0, 1e5, 1e20, -0.3, -1.75, -3.3)]),
}
WHOLE = {"ierfcx", "polygamma"}  # the first argument counts: no derivative by it

TRIPLES = [(0.3, 1.25, 2.0), (-3.7, 0.5, 1e-5), (1e10, -0.3, 20.5), (1e100, 2e100, -3e100),
    (1e-100, 1e-101, 2e-100), (1.0, -2.0, 2.0), (0.01, 88.5, -0.75)]
TERNARY = {
    "fma": (lambda a, b, c: a * b + c, TRIPLES[:-1]),
    "hypot": (lambda a, b, c: mp.sqrt(a * a + b * b + c * c), TRIPLES + [(1e300, 1e300, 1e300),
        (3e-310, 4e-310, 1e-309), (0.0, 3.0, 4.0)]),
    "clamp": (lambda a, b, c: min(max(a, b), c), [(0.3, -1.0, 2.0), (-3.7, -1.0, 2.0),
        (3.7, -1.0, 2.0), (1e-300, 1e-310, 1e-290), (1e300, -1.0, 1.0)]),
}


# The derivatives.

def exponent(x):
    return 0 if x == 0 else max(0, int(mp.log10(abs(x))) + 1)


def differences(f, at, level, smooth):
    """Value, slopes and second derivatives with steps of 10^-level times min(1, |x|)."""
    mp.dps = 4 * level + 60 + 2 * max(exponent(mpf(x)) for x in at)
    x = [mpf(v) for v in at]
    h = [min(mpf(1), abs(v)) * mpf(10) ** -level if v != 0 else mpf(10) ** (-level) for v in x]
    n = len(x)

    def moved(*signs):
        return f(*[v + s * step for v, s, step in zip(x, signs, h)])

    def unit(*moves):
        signs = [0] * n
        for i, s in moves:
            signs[i] += s
        return moved(*signs)

    value = moved(*[0] * n)
    slopes, seconds = [], []
    for i in range(n):
        if i not in smooth:
            slopes.append(mp.nan)
            continue
        slopes.append((unit((i, 1)) - unit((i, -1))) / (2 * h[i]))
    for i in range(n):
        for j in range(i, n):
            if i not in smooth:
                seconds.append(mp.nan)
            elif i == j:
                seconds.append((unit((i, 1)) - 2 * value + unit((i, -1))) / h[i] ** 2)
            else:
                seconds.append((unit((i, 1), (j, 1)) - unit((i, 1), (j, -1)) - unit((i, -1), (j, 1))
                                + unit((i, -1), (j, -1))) / (4 * h[i] * h[j]))
    return [value] + slopes + seconds


def agree(a, b):
    """Equal to 30 digits; a zero is believed only by the last level."""
    if mp.isnan(a):
        return True
    return a != 0 and abs(a - b) <= abs(b) * mpf(10) ** -30


def derivatives(f, at, smooth):
    before = None
    for level in (20, 30, 60, 120, 240, 480):
        now = differences(f, at, level, smooth)
        if before and all(agree(b, n) for b, n in zip(before, now)):
            return now
        before = now
    return now


def line(task):
    kind, name, at = task
    f = {1: UNARY, 2: BINARY, 3: TERNARY}[kind][name][0]
    smooth = range(1, kind) if name in WHOLE else range(kind)
    numbers = derivatives(f, at, smooth)
    mp.dps = 60
    text = [mp.nstr(v, DIGITS, min_fixed=-2, max_fixed=6) for v in numbers]
    # Below all subnormal numbers: rounding noise of a derivative that is 0.
    text = ["0" if abs(v) < mpf(10) ** -400 else t for v, t in zip(numbers, text)]
    shown = ["0" if t == "0.0" else t[:-2] if t.endswith(".0") else t for t in text]
    return " ".join([name] + [re.sub(r"\.?0*p", "p", float(v).hex()) for v in at] + shown)


def tasks():
    only = sys.argv[1:]
    for kind, table in ((1, UNARY), (2, BINARY), (3, TERNARY)):
        for name, (_, points) in table.items():
            if only and name not in only:
                continue
            for at in dict.fromkeys(points):
                yield kind, name, (at if kind > 1 else (at,))


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        for text in pool.imap(line, tasks(), chunksize=4):
            print(text, flush=True)
