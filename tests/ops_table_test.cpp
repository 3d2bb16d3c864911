// What ops.def says in words: the function table of README.md, and the conventions of its column of
// kinks, one test each.

#include <autodiff/autodiff.hpp>

#include <tests/catch.hpp>

#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

using autodiff::basic_tape;
using autodiff::basic_var;
using autodiff::dual;
using autodiff::tape;
using autodiff::tensor;
using autodiff::var;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// The slope of f at x, in every mode.
template <class F>
void check_slope(F f, double x, double expected) {
  CAPTURE(x, expected);
  tape t;
  const var v = t.variable(x);
  const var y = f(v);
  t.backward(y);
  const double reverse = t.adjoint(v);
  CAPTURE(reverse);
  CHECK(same(reverse, expected));

  const double forward = dual<double>(f(dual<double>(x, 1.0))).tangent();
  CAPTURE(forward);
  CHECK(same(forward, expected));

  const auto check_tensor = [&]<class T>(T) {
    const tensor<T> u = t.variable(tensor<T>(autodiff::shape{11}, T(x)));
    t.backward(f(u), tensor<T>(autodiff::shape{11}, T(1)));
    const tensor<T> du = t.adjoint(u);
    for (const T by_tensor : du.values()) {
      CAPTURE(by_tensor);
      CHECK(same(by_tensor, expected));
    }
  };
  check_tensor(1.0);
  check_tensor(1.0F);
}

/// Both slopes of f(a, b), in every mode.
template <class F>
void check_slopes(F f, double a, double b, double expected_a, double expected_b) {
  CAPTURE(a, b, expected_a, expected_b);
  tape t;
  const var x = t.variable(a), y = t.variable(b);
  t.backward(var(f(x, y)));
  const std::array reverse{t.adjoint(x), t.adjoint(y)};
  CAPTURE(reverse[0], reverse[1]);
  CHECK(same(reverse[0], expected_a));
  CHECK(same(reverse[1], expected_b));

  using both = dual<double, 2>;
  const both forward = f(both(a, {1.0, 0.0}), both(b, {0.0, 1.0}));
  CAPTURE(forward.tangent(0), forward.tangent(1));
  CHECK(same(forward.tangent(0), expected_a));
  CHECK(same(forward.tangent(1), expected_b));

  const autodiff::shape nine{9};
  const tensor<double> u = t.variable(tensor<double>(nine, a)),
                       v = t.variable(tensor<double>(nine, b));
  t.backward(f(u, v), tensor<double>(nine, 1.0));
  const tensor<double> du = t.adjoint(u), dv = t.adjoint(v);
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(same(du.value(i), expected_a));
    CHECK(same(dv.value(i), expected_b));
  }
}

/// The slope of f(x, constant) and f's second argument as a number, a passive var, a passive
/// tensor.
template <class F>
void check_slope_beside_constant(F f, double x, double constant, double expected) {
  check_slope([&](const auto& v) { return f(v, constant); }, x, expected);
  tape t;
  const var v = t.variable(x);
  t.backward(var(f(v, var(constant))));
  CAPTURE(x, constant, expected);
  CHECK(same(t.adjoint(v), expected));
  const autodiff::shape five{5};
  const tensor<double> u = t.variable(tensor<double>(five, x));
  t.backward(f(u, tensor<double>(five, constant)), tensor<double>(five, 1.0));
  const tensor<double> du = t.adjoint(u);
  for (const double slope : du.values()) CHECK(same(slope, expected));
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::size_t closing(const std::string& text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0) return i;
  }
  FAIL("unbalanced: " << text);
  return 0;
}

// A conversion T(...) and a parenthesis around one word carry no meaning for a reader.
std::string without_empty_parentheses(std::string text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '(') continue;
    const bool conversion = at > 0 && text[at - 1] == 'T' && (at == 1 || !is_word(text[at - 2]));
    const bool call = at > 0 && is_word(text[at - 1]) && !conversion;
    if (call) continue;
    const std::size_t end = closing(text, at);
    const std::string inside = text.substr(at + 1, end - at - 1);
    const std::size_t start = conversion ? at - 1 : at;
    bool one_operand = true;
    int depth = 0;
    for (const char c : inside) {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth == 0 && c == ' ') one_operand = false;
    }
    // Of a choice, the last branch needs none either.
    const bool last_branch =
        end + 1 == text.size() && start >= 2 && text.substr(start - 2, 2) == ": ";
    if (one_operand || last_branch) {
      text.replace(start, end + 1 - start, inside);
    } else if (conversion) {
      text.erase(start, 1);
    } else {
      continue;
    }
    at = start == 0 ? std::size_t(-1) : start - 1;
  }
  return text;
}

/// The slope as a formula: without what only the compiler needs.
std::string formula(std::string_view slope) {
  std::string text(slope);
  if (text == "unit{}") return "1";
  if (text == "minus_unit{}") return "-1";
  if (text == "flat(x)") return "0";
  if (text.rfind("defined(y, ", 0) == 0) text = text.substr(11, text.size() - 12);
  text = replaced(text, "std::numbers::", "");
  text = without_empty_parentheses(text);
  // x + 0 turns -0 into +0.
  text = replaced(text, " + 0)", ")");
  text = replaced(text, "inverse(", "1 / (");
  return without_empty_parentheses(text);
}

std::string code(std::string_view text) {
  return "`" + replaced(std::string(text), "|", "\\|") + "`";
}

std::string function_table() {
  std::string table =
      "| function | value | slope | at kinks and edges |\n"
      "|---|---|---|---|\n";
  const auto row = [&](std::string_view name, std::string_view arguments, std::string_view sentence,
                       const std::string& slopes, std::string_view kinks) {
    table += "| " + code(std::string(name) + std::string(arguments)) + " | " +
             std::string(sentence) + " | " + slopes + " | " + std::string(kinks) +
             (kinks.empty() ? "|\n" : " |\n");
  };
#define UNARY(NAME, VALUE, SLOPE, FROM, TO, KINKS, SENTENCE) \
  row(#NAME, "(x)", SENTENCE, code(formula(#SLOPE)), KINKS);
#define BINARY(NAME, VALUE, SLOPE_A, SLOPE_B, A_FROM, A_TO, B_FROM, B_TO, KINKS, SENTENCE) \
  row(#NAME, "(a, b)", SENTENCE, code(formula(#SLOPE_A)) + ", " + code(formula(#SLOPE_B)), KINKS);
#include <autodiff/ops.def>
  return table;
}

}  // namespace

TEST_CASE("the function table in README.md is the one in ops.def") {
  const std::string path = BACKSWEEP_SOURCE_DIR "/README.md";
  const std::string begin = "<!-- functions: begin -->\n", end = "<!-- functions: end -->";
  const std::string table = function_table();
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::size_t from = text.find(begin), to = text.find(end);
  const bool has_place = from != std::string::npos && to != std::string::npos && from < to;
  // Not through the test framework, which breaks long lines.
  if (!has_place) std::cout << begin << table << end << '\n';
  if (text.empty()) FAIL("README.md is missing or empty: " << path);
  if (!has_place)
    FAIL("README.md has no lines '" << begin << "' and '" << end
                                    << "'; the text between them is above");
  const std::size_t start = from + begin.size();
  const bool agrees = text.substr(start, to - start) == table;
  if (!agrees && std::getenv("BACKSWEEP_UPDATE_DOCS")) {
    std::ofstream(path) << text.substr(0, start) << table << text.substr(to);
    WARN("README.md was updated");
    return;
  }
  if (!agrees) std::cout << begin << table << end << '\n';
  INFO(
      "README.md should hold the table above; run this test with BACKSWEEP_UPDATE_DOCS=1 to have "
      "it written.");
  CHECK(agrees);
}

TEST_CASE("slopes are printed as formulas") {
  CHECK(formula("T(0.5) / (y + T(0))") == "0.5 / y");
  CHECK(formula("defined(y, inverse(x + T(0)))") == "1 / x");
  CHECK(formula("(a == T(0) && b == T(0)) ? T(0) : T(b * pow(a, b - T(1)))") ==
        "(a == 0 && b == 0) ? 0 : b * pow(a, b - 1)");
  CHECK(formula("T(x * y) * z") == "(x * y) * z");
  CHECK(formula("inverse(sqrt((T(1) - x) * (T(1) + x)))") == "1 / sqrt((1 - x) * (1 + x))");
}

TEST_CASE("abs, relu, sign and heaviside have slope 0 at 0") {
  for (const double zero : {0.0, -0.0}) {
    check_slope([](const auto& x) { return abs(x); }, zero, 0);
    check_slope([](const auto& x) { return relu(x); }, zero, 0);
    check_slope([](const auto& x) { return sign(x); }, zero, 0);
    check_slope([](const auto& x) { return heaviside(x); }, zero, 0);
  }
  check_slope([](const auto& x) { return abs(x); }, -2, -1);
  check_slope([](const auto& x) { return relu(x); }, -2, 0);
  check_slope([](const auto& x) { return relu(x); }, 1e-30, 1);
  CHECK(autodiff::sign(-3.0) == -1);
  CHECK(autodiff::sign(0.0) == 0);
  CHECK(autodiff::heaviside(0.0) == 0);
  CHECK(autodiff::heaviside(1e-300) == 1);
}

TEST_CASE("floor and ceil are flat everywhere, at their jumps too") {
  for (const double x : {-1.5, -1.0, 0.0, 0.5, 2.0, 1e300}) {
    check_slope([](const auto& v) { return floor(v); }, x, 0);
    check_slope([](const auto& v) { return ceil(v); }, x, 0);
  }
}

TEST_CASE("a NaN argument gives NaN values and slopes to functions with flat parts") {
  const auto check = [](auto f) {
    CHECK(std::isnan(f(undefined)));
    check_slope(f, undefined, undefined);
  };
  check([](const auto& x) { return autodiff::abs(x); });
  check([](const auto& x) { return autodiff::relu(x); });
  check([](const auto& x) { return autodiff::sign(x); });
  check([](const auto& x) { return autodiff::heaviside(x); });
  check([](const auto& x) { return autodiff::floor(x); });
  check([](const auto& x) { return autodiff::ceil(x); });
  check([](const auto& x) { return autodiff::sigmoid(x); });
  check([](const auto& x) { return autodiff::log_sigmoid(x); });
  check([](const auto& x) { return autodiff::softplus(x); });
  check([](const auto& x) { return autodiff::tanh(x); });
}

TEST_CASE("max and min take the argument that wins") {
  const auto larger = [](const auto& a, const auto& b) { return max(a, b); };
  const auto smaller = [](const auto& a, const auto& b) { return min(a, b); };
  check_slopes(larger, 2, 1, 1, 0);
  check_slopes(larger, 1, 2, 0, 1);
  check_slopes(smaller, 2, 1, 0, 1);
  check_slopes(smaller, 1, 2, 1, 0);
}

TEST_CASE("max and min share a tie of two variables in halves") {
  const auto larger = [](const auto& a, const auto& b) { return max(a, b); };
  const auto smaller = [](const auto& a, const auto& b) { return min(a, b); };
  for (const double x : {1.5, 0.0, -3.0, infinity}) {
    check_slopes(larger, x, x, 0.5, 0.5);
    check_slopes(smaller, x, x, 0.5, 0.5);
  }
  check_slopes(larger, 0.0, -0.0, 0.5, 0.5);
  // The same whichever side is an expression.
  check_slopes([](const auto& a, const auto& b) { return max(a * 1.0, b); }, 2, 2, 0.5, 0.5);
  check_slopes([](const auto& a, const auto& b) { return min(a, b + 0.0); }, 2, 2, 0.5, 0.5);
  check_slopes([](const auto& a, const auto& b) { return max(a * 1.0, b + 0.0); }, 2, 2, 0.5, 0.5);
}

TEST_CASE("a variable at a tie with an equal constant has slope 0, whichever side it is on") {
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(x, c); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(c, x); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return min(x, c); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return min(c, x); }, 2, 2, 0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(x * 3.0, c); }, 2, 6,
                              0);
  check_slope_beside_constant([](const auto& x, const auto& c) { return max(c, x); }, 2.5, 2, 1);
  check_slope_beside_constant([](const auto& x, const auto& c) { return min(c, x); }, 2.5, 2, 0);
}

TEST_CASE("max and min propagate NaN from either side") {
  for (const auto& [a, b] :
       {std::array{undefined, 1.0}, std::array{1.0, undefined}, std::array{undefined, undefined}}) {
    CHECK(std::isnan(autodiff::max(a, b)));
    CHECK(std::isnan(autodiff::min(a, b)));
    check_slopes([](const auto& x, const auto& y) { return max(x, y); }, a, b, undefined,
                 undefined);
    check_slopes([](const auto& x, const auto& y) { return min(x, y); }, a, b, undefined,
                 undefined);
  }
}

TEST_CASE("sqrt has slope +inf at both zeros, and NaN below") {
  const auto f = [](const auto& x) { return sqrt(x); };
  check_slope(f, 0.0, infinity);
  check_slope(f, -0.0, infinity);
  check_slope(f, -1, undefined);
}

TEST_CASE("cbrt has slope +inf at both zeros") {
  check_slope([](const auto& x) { return cbrt(x); }, 0.0, infinity);
  check_slope([](const auto& x) { return cbrt(x); }, -0.0, infinity);
}

TEST_CASE("0 * sqrt(x) has slope 0 at 0") {
  check_slope([](const auto& x) { return 0.0 * sqrt(x); }, 0, 0);
  check_slope([](const auto& x) { return sqrt(x) * 0.0; }, 0, 0);
  check_slope([](const auto& x) { return 0.0 * (2.0 * sqrt(x)); }, 0, 0);
  check_slope([](const auto& x) { return x * sqrt(x); }, 0, 0);
  check_slope([](const auto& x) { return max(sqrt(x), 1.0); }, 0, 0);
  check_slope([](const auto& x) { return relu(-1.0 + sqrt(x)); }, 0, 0);
  // Across two statements.
  tape t;
  const var x = t.variable(0.0);
  const var root = sqrt(x);
  const var y = 0.0 * root;
  t.backward(y);
  CHECK(t.adjoint(x) == 0);
  // The price: a factor that is 0 by value hides the infinite slope.
  check_slope([](const auto& v) { return square(sqrt(v)); }, 0, 0);
}

TEST_CASE("a zero weight skips every other slope that is infinite or NaN") {
  check_slope([](const auto& x) { return 0.0 * cbrt(x); }, 0, 0);
  check_slope([](const auto& x) { return 0.0 * asin(x); }, 1, 0);
  check_slope([](const auto& x) { return 0.0 * acos(x); }, -1, 0);
  check_slope([](const auto& x) { return 0.0 * acosh(x); }, 1, 0);
  check_slope([](const auto& x) { return 0.0 * pow(x, 0.5); }, 0, 0);
  check_slopes([](const auto& a, const auto& b) { return 0.0 * atan2(a, b); }, 0, 0, 0, 0);
}

TEST_CASE("sqrt(x * x) is NaN at 0 in reverse: abs is the function to take") {
  tape t;
  const var x = t.variable(0.0);
  t.backward(sqrt(x * x));
  CHECK(std::isnan(t.adjoint(x)));
  const var product = x * x;
  t.backward(sqrt(product));
  CHECK(std::isnan(t.adjoint(x)));
  const tensor<double> u = t.variable(tensor<double>{0.0});
  t.backward(sqrt(u * u));
  CHECK(std::isnan(t.adjoint(u).item()));
}

TEST_CASE("hypot has slopes 0 at the origin") {
  const auto f = [](const auto& a, const auto& b) { return hypot(a, b); };
  check_slopes(f, 0, 0, 0, 0);
  check_slopes(f, -0.0, 0, 0, 0);
  check_slopes(f, 0, 2, 0, 1);
  check_slopes(f, -3, 0, -1, 0);
  check_slope_beside_constant(f, 0, 0, 0);
}

TEST_CASE("pow of a constant exponent has its limits at x = 0") {
  const auto power = [](const auto& x, const auto& c) { return pow(x, c); };
  check_slope_beside_constant(power, 0, 3, 0);
  check_slope_beside_constant(power, 0, 2, 0);
  check_slope_beside_constant(power, 0, 1, 1);
  check_slope_beside_constant(power, 0, 0, 0);
  check_slope_beside_constant(power, 0, 0.5, infinity);
  check_slope_beside_constant(power, 0, -1, -infinity);
}

TEST_CASE("pow of a negative base takes whole constant exponents and never their logarithm") {
  const auto power = [](const auto& x, const auto& c) { return pow(x, c); };
  check_slope_beside_constant(power, -2, 3, 12);
  check_slope_beside_constant(power, -2, 2, -4);
  check_slope_beside_constant(power, -2, 1, 1);
  check_slope_beside_constant(power, -2, 0, 0);
  check_slope_beside_constant(power, -2, -1, -0.25);
  check_slope_beside_constant(power, -2, 0.5, undefined);
  check_slope([](const auto& x) { return pow(x, 3); }, -2, 12);
}

TEST_CASE("pow with both arguments variable has its limits, too") {
  const auto power = [](const auto& a, const auto& b) { return pow(a, b); };
  check_slopes(power, 0, 2, 0, 0);
  check_slopes(power, 0, 1, 1, 0);
  check_slopes(power, 0, 0, 0, 0);
  check_slopes(power, 0, -1, -infinity, -infinity);
  check_slopes(power, -2, 3, 12, undefined);
  check_slopes(power, 1, 5, 5, 0);
  // A constant base.
  check_slope([](const auto& y) { return pow(0.0, y); }, 2, 0);
  check_slope([](const auto& y) { return pow(0.0, y); }, 0, 0);
  check_slope([](const auto& y) { return pow(1.0, y); }, 3, 0);
}

TEST_CASE("the second derivative of pow(x, 2) at 0 is 2") {
  const auto check = [](double at, double c, double expected) {
    CAPTURE(at, c, expected);
    using twice = dual<dual<double>>;
    const twice y = pow(twice(dual<double>(at, 1.0), dual<double>(1.0, 0.0)), c);
    CHECK(y.tangent().tangent() == expected);
    tape inner;
    basic_tape<var> outer;
    const var x = inner.variable(at);
    const basic_var<var> outer_x = outer.variable(x);
    outer.backward(pow(outer_x, c));
    inner.backward(outer.adjoint(outer_x));
    CHECK(inner.adjoint(x) == expected);
    const dual<var> forward_over_reverse = pow(dual<var>(x, var(1.0)), c);
    inner.backward(forward_over_reverse.tangent());
    CHECK(inner.adjoint(x) == expected);
  };
  check(0, 2, 2);
  check(0, 3, 0);
  check(0, 1, 0);
  check(-2, 3, -12);
  check(-2, 2, 2);
}

TEST_CASE("atan2 has NaN slopes at the origin, and finite ones on its cut") {
  const auto f = [](const auto& a, const auto& b) { return atan2(a, b); };
  check_slopes(f, 0, 0, undefined, undefined);
  check_slopes(f, 0, -2, -0.5, 0);
  check_slopes(f, 0, 2, 0.5, 0);
  check_slopes(f, 3, 0, 0, -1.0 / 3);
  // Neither overflow nor underflow on the way.
  check_slopes(f, 1e200, 1e200, 5e-201, -5e-201);
}

TEST_CASE("logarithms have slope +inf at zero and NaN below") {
  const auto check = [](auto f, double zero, double below) {
    check_slope(f, zero, infinity);
    check_slope(f, below, undefined);
  };
  check([](const auto& x) { return log(x); }, 0.0, -1);
  check([](const auto& x) { return log(x); }, -0.0, -1e-30);
  check([](const auto& x) { return log2(x); }, 0.0, -1);
  check([](const auto& x) { return log2(x); }, -0.0, -1e-30);
  check([](const auto& x) { return log10(x); }, 0.0, -1);
  check([](const auto& x) { return log10(x); }, -0.0, -1e-30);
  check([](const auto& x) { return log1p(x); }, -1, -1.5);
}

TEST_CASE("inverse functions have infinite slopes at the ends of their domain and NaN outside") {
  const auto check = [](auto f, double end, double at_end, double outside) {
    check_slope(f, end, at_end);
    check_slope(f, outside, undefined);
  };
  check([](const auto& x) { return asin(x); }, 1, infinity, 1.5);
  check([](const auto& x) { return asin(x); }, -1, infinity, -1.5);
  check([](const auto& x) { return acos(x); }, 1, -infinity, 1.5);
  check([](const auto& x) { return acos(x); }, -1, -infinity, -1.5);
  check([](const auto& x) { return acosh(x); }, 1, infinity, 0.5);
  check([](const auto& x) { return acosh(x); }, 1, infinity, -2);
  check([](const auto& x) { return atanh(x); }, 1, infinity, 1.5);
  check([](const auto& x) { return atanh(x); }, -1, infinity, -1.5);
}

TEST_CASE("arithmetic with infinities is IEEE's") {
  check_slope([](const auto& x) { return x * 0.0; }, infinity, 0);
  check_slope([](const auto& x) { return infinity * x; }, 0, infinity);
  check_slope([](const auto& x) { return x - x; }, infinity, 0);
  check_slope([](const auto& x) { return exp(x); }, 800, infinity);
  check_slope([](const auto& x) { return inverse(x); }, 0, -infinity);
}
