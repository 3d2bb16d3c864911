#include <autodiff/anomaly.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using autodiff::anomaly;
using autodiff::domain_error;
using autodiff::tape;
using autodiff::var;
using autodiff::watching;
using reference::message;
using reference::says;

TEST_CASE("an edge that was skipped because nothing depends on it is counted and found") {
  tape t;
  const var x = t.variable(0.0), y = t.variable(2.0);
  const var root = sqrt(x);
  const var z = y + root * 0.0;
  const var dead = y / x;
  t.backward(z);
  CHECK(t.adjoint(x) == 0);
  CHECK(t.suppressed() == 3);  // sqrt, and y / x in both arguments
  const std::vector<anomaly> found = t.anomalies();
  REQUIRE(found.size() == 3);
  for (const anomaly& a : found) CHECK(a.what == anomaly::kind::suppressed);
  CHECK(says(to_string(found[2]), "partial derivative of inf", "skipped"));
  t.backward(dead, 0.0);
  CHECK(t.adjoint(x) == 0);
}

TEST_CASE("zero adjoints are propagated when asked for") {
  tape t;
  const var x = t.variable(0.0);
  const var root = sqrt(x);
  const var y = root * 0.0 + 3.0 * x;
  t.backward(y);
  CHECK(t.adjoint(x) == 3);
  t.treat_zero_adjoints(autodiff::zero_adjoints::propagate);
  t.backward(y);
  CHECK(std::isnan(t.adjoint(x)));
  t.treat_zero_adjoints(autodiff::zero_adjoints::skip);
  t.backward(y);
  CHECK(t.adjoint(x) == 3);
}

TEST_CASE("propagation sweeps the same record") {
  tape t;
  t.treat_zero_adjoints(autodiff::zero_adjoints::propagate);
  const std::vector<var> x = t.variable(std::vector{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0});
  var s = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) s += x[i] * x[i + 1];
  const var y = exp(-0.1 * s) + x[0];
  t.backward(y);
  const double weight = -0.1 * std::exp(-0.1 * s.value());
  CHECK(t.adjoint(x[0]) == Approx(2 * weight + 1).epsilon(1e-15));
  CHECK(t.adjoint(x[3]) == Approx((3 + 5) * weight).epsilon(1e-15));
  CHECK(t.adjoint(x[6]) == Approx(6 * weight).epsilon(1e-15));
}

TEST_CASE("a watching tape names the statement in which a NaN arose") {
  tape t;
  t.watch(watching::report);
  const var x = t.variable(0.0);
  const var fine = x + 1.0;
  const var y = sqrt(x * x);
  const var z = y * fine;
  t.backward(z);
  CHECK(std::isnan(t.adjoint(x)));
  const std::vector<anomaly> found = t.anomalies();
  // One edge to x, or two where the compiler has not merged them.
  REQUIRE(found.size() >= 2);
  CHECK(found[0].what == anomaly::kind::recorded);
  CHECK(found[1].what == anomaly::kind::swept);
  CHECK(says(to_string(found[0]), "sqrt(x1 * x2)", "value 0", "nan"));
  CHECK(says(to_string(found[1]), "sqrt(x1 * x2)", "adjoint 1"));
}

TEST_CASE("what was rewound is noted no more") {
  tape t;
  t.watch(watching::report);
  const var x = t.variable(0.0);
  const auto mark = t.mark();
  const var y = log(x);
  CHECK(y.value() < 0);
  CHECK(t.anomalies().size() == 1);
  t.rewind(mark);
  CHECK(t.anomalies().empty());
  const var z = exp(x);
  t.backward(z);
  CHECK(t.anomalies().empty());
  CHECK(t.suppressed() == 0);
}

TEST_CASE("an infinite factor times zero is reported, by IEEE arithmetic as it is") {
  tape t;
  t.watch(watching::report);
  const double infinity = std::numeric_limits<double>::infinity();
  const var zero = t.variable(0.0), large = t.variable(infinity);
  const var y = zero * large;
  CHECK(std::isnan(y.value()));
  t.backward(y);
  CHECK(t.adjoint(zero) == infinity);
  CHECK(t.adjoint(large) == 0);
  CHECK(says(to_string(t.anomalies().at(0)), "x1 * x2", "nan", "inf"));
}

TEST_CASE("a strict tape throws where the NaN arises, and serves on") {
  tape t;
  t.watch(watching::strict);
  const var x = t.variable(0.0), y = t.variable(0.0);
  CHECK(says(message<domain_error>([&] { var(atan2(x, y)); }), "atan2(x1, x2)", "nan"));
  CHECK(says(message<domain_error>([&] { var(log(x - 1.0)); }), "log(x1 - c)", "nan"));
  const auto before = t.statistics();
  CHECK_THROWS_AS(var(sqrt(x * x)), domain_error);
  CHECK(t.statistics().places == before.places);
  const var fine = exp(x) * 2.0;
  t.backward(fine);
  CHECK(t.adjoint(x) == 2);
  // An infinite partial is refused when the gradient meets it.
  const var root = sqrt(x);
  const var good = fine + 1.0;
  CHECK(says(message<domain_error>([&] { t.backward(root); }), "sqrt(x1)", "inf"));
  CHECK(says(message<domain_error>([&] { t.backward(good); }), "skipped"));
  t.watch(watching::off);
  t.backward(root);
  CHECK(std::isinf(t.adjoint(x)));
  const var unwatched = log(x);
  t.backward(unwatched);
  const std::vector<anomaly> found = t.anomalies();
  CHECK(std::any_of(found.begin(), found.end(), [](const anomaly& a) {
    return says(to_string(a), "the statement at place", "adjoint 1");
  }));
}

TEST_CASE("a watched tape records what an unwatched one does") {
  const auto gradient_of = [](watching mode) {
    tape t;
    t.watch(mode);
    const std::vector<var> x = t.variable(std::vector{0.3, 0.7, -1.2});
    var s = x[0];
    for (int i = 0; i < 20; ++i) s += sin(s) * x[1] + 3.0 - x[2] / (x[0] + 2.0);
    t.backward(s);
    return t.adjoint(x);
  };
  const std::vector<double> unwatched = gradient_of(watching::off);
  CHECK(reference::all_close(gradient_of(watching::report), unwatched, 1e-14));
  CHECK(reference::all_close(gradient_of(watching::strict), unwatched, 1e-14));
}

TEST_CASE("nested tapes watch values through every level") {
  autodiff::basic_tape<autodiff::dual<double>> t;
  t.watch(watching::strict);
  const auto x = t.variable(autodiff::dual<double>(-1.0, 1.0));
  CHECK(says(message<domain_error>([&] { autodiff::basic_var<autodiff::dual<double>>(log(x)); }),
             "log(x1)"));
}

TEST_CASE("expressions are written as their author wrote them") {
  tape t;
  t.watch(watching::report);
  const var x = t.variable(-1.0), y = t.variable(0.5);
  const auto text = [&](const var&) { return to_string(t.anomalies().back()); };
  CHECK(says(text(log(x) + 2.0 * (y - x)), "log(x1) + (c * (x2 - x3)) at"));
  CHECK(says(text(-sqrt(x / y)), "-sqrt(x1 / x2) at"));
  CHECK(says(text(pow(x, y)), "pow(x1, x2) at"));
}
