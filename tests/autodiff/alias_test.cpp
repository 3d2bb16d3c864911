// The record merges leaves that are the same variable and leaves out an argument that the next
// place carries. Random programs full of aliases (copies, swaps, self-reference, kept expressions,
// rewinds) are run beside plain arithmetic that carries the full gradient of every value along.

#include <tests/catch.hpp>

#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

using autodiff::var;

namespace {

constexpr std::size_t inputs = 4;

/// A value with its gradient by every input: forward accumulation in plain loops.
struct truth {
  double value = 0;
  std::array<double, inputs> gradient{};
};

truth combine(double value, std::initializer_list<std::pair<double, const truth*>> terms) {
  truth y;
  y.value = value;
  for (const auto& [partial, x] : terms) {
    for (std::size_t i = 0; i < inputs; ++i) y.gradient[i] += partial * x->gradient[i];
  }
  return y;
}

/// Variables side by side with their truths.
struct machine {
  std::vector<var> v;
  std::vector<truth> t;

  // One statement, its operands chosen at random: equal ones are frequent.
  void step(std::size_t kind, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    const truth ta = t[a], tb = t[b], tc = t[c], td = t[d];
    const double x = ta.value, y = tb.value, z = tc.value, w = td.value;
    switch (kind) {
      case 0:
        v[a] += v[b] * v[c];
        t[a] = combine(x + y * z, {{1, &ta}, {z, &tb}, {y, &tc}});
        break;
      case 1:
        v[a] = v[a] + v[b];
        t[a] = combine(x + y, {{1, &ta}, {1, &tb}});
        break;
      case 2:
        v[a] = v[b] + v[a];
        t[a] = combine(y + x, {{1, &tb}, {1, &ta}});
        break;
      case 3:
        v[a] -= v[b];
        t[a] = combine(x - y, {{1, &ta}, {-1, &tb}});
        break;
      case 4:
        v[a] = v[b] - v[a];
        t[a] = combine(y - x, {{1, &tb}, {-1, &ta}});
        break;
      case 5:
        v[a] = 0.5 * v[b] * v[b];
        t[a] = combine(0.5 * y * y, {{y, &tb}});
        break;
      case 6:
        v[a] += v[a] * v[a];
        t[a] = combine(x + x * x, {{1 + 2 * x, &ta}});
        break;
      case 7:
        v[a] = v[b];
        t[a] = tb;
        break;
      case 8:
        std::swap(v[a], v[b]);
        std::swap(t[a], t[b]);
        break;
      case 9:
        v[a] = sin(v[a]);
        t[a] = combine(std::sin(x), {{std::cos(x), &ta}});
        break;
      case 10:
        v[a] = v[b] + v[c] + v[d];
        t[a] = combine(y + z + w, {{1, &tb}, {1, &tc}, {1, &td}});
        break;
      case 11:
        v[a] = v[b] + v[b];
        t[a] = combine(2 * y, {{2, &tb}});
        break;
      case 12:
        v[a] += 1.0;
        t[a] = combine(x + 1, {{1, &ta}});
        break;
      case 13:
        v[a] = var(0.3);
        t[a] = combine(0.3, {});
        break;
      case 14: {  // an expression kept while its variables change
        auto kept = v[b] * v[c] + v[a];
        v[b] += v[d];
        v[a] = kept;
        t[b] = combine(y + w, {{1, &tb}, {1, &td}});
        t[a] = combine(y * z + x, {{z, &tb}, {y, &tc}, {1, &ta}});
        break;
      }
      case 15: {  // a copy from before an update
        const var copy = v[a];
        v[a] += v[b];
        v[b] = copy * v[a];
        const truth sum = combine(x + y, {{1, &ta}, {1, &tb}});
        if (a == b) {
          t[a] = combine(x * (2 * x), {{2 * x, &ta}, {x, &sum}});
          t[a] = combine(x * sum.value, {{sum.value, &ta}, {x, &sum}});
        } else {
          t[a] = sum;
          t[b] = combine(x * sum.value, {{sum.value, &ta}, {x, &sum}});
        }
        break;
      }
      case 16: {  // the same variable by two names
        const var &one = v[a], &other = v[b];
        v[c] = one * other + one - other;
        t[c] = combine(x * y + x - y, {{y + 1, &ta}, {x - 1, &tb}});
        break;
      }
      case 17:
        v[a] = (v[a] + v[b] * v[c]) + v[d] * v[a];
        t[a] = combine(x + y * z + w * x, {{1 + w, &ta}, {z, &tb}, {y, &tc}, {x, &td}});
        break;
      case 18:
        v[a] *= v[b];
        t[a] = combine(x * y, {{y, &ta}, {x, &tb}});
        break;
      default:
        v[a] = v[b] / (2.0 + v[c] * v[c]);
        t[a] = combine(y / (2 + z * z),
                       {{1 / (2 + z * z), &tb}, {-2 * y * z / ((2 + z * z) * (2 + z * z)), &tc}});
        break;
    }
    // Values stay in a range where the truth is well conditioned.
    if (!(std::abs(t[a].value) < 4)) {
      v[a] = 0.25 * sin(v[a]);
      const truth large = t[a];
      t[a] = combine(0.25 * std::sin(large.value), {{0.25 * std::cos(large.value), &large}});
    }
  }
};

void require_equal(const autodiff::tape& tape, const machine& m, const std::vector<var>& x,
                   std::size_t out) {
  for (std::size_t i = 0; i < inputs; ++i) {
    const double expected = m.t[out].gradient[i], got = tape.adjoint(x[i]);
    double scale = 1;
    for (const double g : m.t[out].gradient) scale = std::max(scale, std::abs(g));
    CHECK(std::abs(got - expected) <= 1e-9 * scale);
  }
}

}  // namespace

TEST_CASE(
    "random programs full of aliases have the gradient that plain forward accumulation gives") {
  std::mt19937_64 random(20261121);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int program = 0; program < 3000; ++program) {
    autodiff::tape tape;
    machine m;
    std::vector<var> x;
    for (std::size_t i = 0; i < inputs; ++i) {
      const double value = 0.2 + 0.3 * static_cast<double>(i);
      x.push_back(tape.variable(value));
      m.v.push_back(x.back());
      truth t;
      t.value = value;
      t.gradient[i] = 1;
      m.t.push_back(t);
    }
    for (std::size_t extra = 0; extra < 3; ++extra) {
      m.v.emplace_back(0.5);
      m.t.push_back(combine(0.5, {}));
    }
    const std::size_t size = m.v.size(), length = 1 + pick(30);
    std::size_t kind = pick(20);
    for (std::size_t s = 0; s < length; ++s) {
      // Runs of one kind are what the sweep treats specially.
      if (pick(3) != 0) kind = pick(20);
      m.step(kind, pick(size), pick(size), pick(size), pick(size));
      if (pick(10) == 0) {
        const machine before = m;
        const auto mark = tape.mark();
        for (int detour = 0; detour < 4; ++detour) {
          m.step(pick(20), pick(size), pick(size), pick(size), pick(size));
        }
        tape.rewind(mark);
        m = before;
      }
    }
    for (int output = 0; output < 2; ++output) {
      const std::size_t out = pick(size);
      if (!m.v[out].is_recorded()) continue;
      tape.backward(m.v[out]);
      INFO("program " << program);
      require_equal(tape, m, x, out);
    }
  }
}

TEST_CASE("a sum that grew term by term has the adjoints of its parts, and of every stage") {
  autodiff::tape tape;
  const auto w = tape.variable(std::vector{1.0, 2.0, 3.0, 4.0}),
             x = tape.variable(std::vector{5.0, 6.0, 7.0, 8.0});
  std::vector<var> stages;
  var s = w[0];
  for (std::size_t i = 0; i < 4; ++i) {
    s += w[i] * x[i];
    stages.push_back(s);
  }
  const var y = s * stages[1];
  tape.backward(y);
  // s = w0 + sum w x = 1 + 5 + 12 + 21 + 32 = 71, stage 1 = 18; y = s * stage1.
  CHECK(y.value() == 71.0 * 18.0);
  CHECK(tape.adjoint(stages[3]) == 18.0);
  CHECK(tape.adjoint(stages[2]) == 18.0);
  CHECK(tape.adjoint(stages[1]) == 18.0 + 71.0);
  CHECK(tape.adjoint(stages[0]) == 18.0 + 71.0);
  CHECK(tape.adjoint(w[0]) == (1.0 + 5.0) * (18.0 + 71.0));
  CHECK(tape.adjoint(x[1]) == 2.0 * (18.0 + 71.0));
  CHECK(tape.adjoint(w[3]) == 8.0 * 18.0);
}

TEST_CASE("a zero adjoint inside a growing sum hides the infinite partials of its terms") {
  autodiff::tape tape;
  const var zero = tape.variable(0.0), one = tape.variable(1.0);
  var s = one;
  for (int i = 0; i < 5; ++i) s += sqrt(zero);
  const var y = 0.0 * s + one;
  tape.backward(y);
  CHECK(tape.adjoint(zero) == 0.0);
  CHECK(tape.adjoint(one) == 1.0);
  tape.backward(s);
  CHECK(tape.adjoint(zero) == INFINITY);
}

TEST_CASE("a square is one argument") {
  autodiff::tape tape;
  const var x = tape.variable(3.0);
  const var y = x * x + x;
  CHECK(tape.statistics().statements == 1);
  tape.backward(y);
  CHECK(tape.adjoint(x) == 7.0);
// Without optimisation, or with the calls that a sanitizer puts between, the compiler does not see
// it.
#if defined(__OPTIMIZE__) && defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
  CHECK(tape.statistics().arguments == 1);
#endif
}
