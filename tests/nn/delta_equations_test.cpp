// The formulas that a report writes out: whatever stands between two signs of equality is worked
// out here as it is written, and has to be the same number.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/delta/equations.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;
using nn::piece;

template <class T>
nn::delta_report drawn_report(const std::vector<nn::dense>& layers, std::size_t batch,
                              const nn::loss& e) {
  nn::network<T> net(3, layers, nn::seed{5});
  reference::random random(17);
  const auto drawn = [&](const shape& s, double from, double to) {
    return tensor<T>(s, std::span<const T>(random.uniform<T>(s.size(), from, to)));
  };
  for (nn::any_layer<T>& any : net.layers()) {
    nn::dense_layer<T>& layer = any.dense();
    if (layer.has_bias()) layer.bias = drawn(layer.bias.shape(), -0.5, 0.5);
  }
  const tensor<T> x = drawn({batch, 3}, -1, 1), t = drawn({batch, net.outputs()}, 0.05, 0.95);
  return nn::compare_deltas(net, x, t, e);
}

// Sums of products of numbers: 2(0.5 - 0.25)/6, 0.1(-0.5) + 0.4(0.2), 0.8[0.3 - 0.1].
class arithmetic {
 public:
  explicit arithmetic(std::vector<piece> pieces) : pieces_(std::move(pieces)) {}

  double result() {
    const double value = sum();
    REQUIRE(at_ == pieces_.size());
    return value;
  }

 private:
  bool is_next(const std::string& sign) const {
    return at_ < pieces_.size() && pieces_[at_].what == piece::kind::sign &&
           pieces_[at_].text == sign;
  }
  bool take(const std::string& sign) {
    if (!is_next(sign)) return false;
    ++at_;
    return true;
  }
  double sum() {
    double value = product();
    for (;;) {
      if (take("+"))
        value += product();
      else if (take("-"))
        value -= product();
      else
        return value;
    }
  }
  double product() {
    double value = factor();
    while (at_ < pieces_.size()) {
      if (take("/"))
        value /= factor();
      else if (is_next("(") || is_next("[") || pieces_[at_].what == piece::kind::number)
        value *= factor();
      else
        break;
    }
    return value;
  }
  double factor() {
    for (const auto& [open, close] : {std::pair("(", ")"), std::pair("[", "]")}) {
      if (!take(open)) continue;
      const double value = sum();
      REQUIRE(take(close));
      return value;
    }
    REQUIRE(at_ < pieces_.size());
    REQUIRE(pieces_[at_].what == piece::kind::number);
    return std::stod(pieces_[at_++].text);
  }

  std::vector<piece> pieces_;
  std::size_t at_ = 0;
};

// What can be worked out of a line: nothing of a part with symbols, functions or terms left out.
std::vector<double> results_of(const nn::line& line) {
  std::vector<std::vector<piece>> parts(1);
  for (const piece& p : line) {
    if (p.what == piece::kind::turn) continue;
    if (p.what == piece::kind::sign && p.text == "=")
      parts.emplace_back();
    else
      parts.back().push_back(p);
  }
  std::vector<double> results;
  for (const std::vector<piece>& part : parts) {
    const bool is_plain = std::all_of(part.begin(), part.end(), [](const piece& p) {
      return p.what == piece::kind::number || (p.what == piece::kind::sign && p.text != "...");
    });
    if (is_plain) results.push_back(arithmetic(part).result());
  }
  return results;
}

// Checks the lines and returns how many had more than one part to work out.
std::size_t check(const nn::equations& equations, double tolerance) {
  std::size_t checked = 0;
  for (const nn::line& line : equations.lines) {
    for (const piece& p : line) {
      CHECK(p.what != piece::kind::words);
      CHECK(p.text != "-0");
    }
    const std::vector<double> results = results_of(line);
    for (const double r : results) CHECK(r == Approx(results.back()).epsilon(0).margin(tolerance));
    checked += results.size() > 1;
  }
  return checked;
}

template <class T>
std::size_t check(const std::vector<nn::dense>& layers, std::size_t batch, const nn::loss& e) {
  const nn::delta_report report = drawn_report<T>(layers, batch, e);
  const nn::delta_format format{.digits = 17, .most_units = 6};
  const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  std::size_t checked = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    CHECK_FALSE(nn::deltas(report, l, format).lines.empty());
    for (const auto& written : {nn::forward_pass, nn::deltas, nn::gradients})
      checked += check(written(report, l, format), tolerance);
  }
  return checked;
}

}  // namespace

TEMPLATE_TEST_CASE("what is written out comes to the formula's own numbers, whatever the network",
                   "", float, double) {
  using T = TestType;
  const nn::loss* const losses[] = {&nn::half_squared_error, &nn::mean_squared_error,
                                    &nn::binary_cross_entropy, &nn::softmax_cross_entropy};
  for (const nn::activation& h : nn::activations()) {
    for (const nn::loss* e : losses) {
      for (const std::size_t batch : {1, 3}) {
        INFO(h.name << ", " << e->name << ", " << batch << " samples");
        const std::vector<nn::dense> layers{nn::dense(4, h), nn::dense(2, nn::identity),
                                            nn::dense(3, h, nn::bias::without)};
        // Every a, dE/dw and hidden delta at least.
        CHECK(check<T>(layers, batch, *e) >= 9 + 26);
      }
    }
  }
}

TEST_CASE("so do the deltas of probabilities under their own cross-entropies") {
  const std::vector<nn::dense> binary{nn::dense(2, nn::tanh), nn::dense(2, nn::sigmoid)},
      classes{nn::dense(2, nn::tanh), nn::dense(3, nn::softmax)};
  for (const std::size_t batch : {1, 3}) {
    check<double>(binary, batch, nn::binary_cross_entropy_of_probabilities);
    check<double>(classes, batch, nn::cross_entropy_of_probabilities);
    check<double>(binary, batch, nn::cross_entropy_of_probabilities);
  }
}

TEST_CASE("a linear output is written with the factor of its loss") {
  const std::vector<nn::dense> layers{nn::dense(3)};
  const nn::loss* const losses[] = {&nn::half_squared_error, &nn::mean_squared_error,
                                    &nn::binary_cross_entropy, &nn::softmax_cross_entropy};
  for (const nn::loss* e : losses) {
    const nn::delta_report report = drawn_report<double>(layers, 2, *e);
    const nn::equations written = nn::deltas(report, 0, {.digits = 17});
    REQUIRE(written.lines.size() == 4);
    for (std::size_t k = 0; k < 3; ++k) {
      const std::vector<double> results = results_of(written.lines[k + 1]);
      INFO(e->name);
      REQUIRE(results.size() == 2);
      CHECK(results[0] == Approx(report.layers[0].delta.formula(0, k)).epsilon(1e-12));
    }
  }
}

TEST_CASE("the delta of a linear output is said in symbols before its numbers come") {
  const auto symbols = [](const nn::delta_report& report) {
    std::string text;
    const nn::equations written = nn::deltas(report, 0, {});
    for (const piece& p : written.lines.front()) {
      if (p.what == piece::kind::derivative) text += "dE/d";
      text += p.text + (p.units.empty() ? "" : '_' + p.units);
    }
    return text;
  };
  const auto of = [](const nn::loss& e) { return drawn_report<double>({nn::dense(3)}, 2, e); };
  CHECK(symbols(of(nn::half_squared_error)) == "delta_k=y_k-t_k(5)");
  CHECK(symbols(of(nn::mean_squared_error)) == "delta_k=dE/dy_k=2(y_k-t_k)/6(6)");
  CHECK(symbols(of(nn::binary_cross_entropy)) == "delta_k=dE/dy_k=(sigmoid(y_k)-t_k)/6(6)");
  nn::delta_report classes = of(nn::softmax_cross_entropy);
  CHECK(symbols(classes) == "delta_k=dE/dy_k=(softmax_k(y)jt_j-t_k)/2(6)");
  classes.target(0, 0) = classes.target(0, 2) = 0;
  classes.target(0, 1) = 1;
  CHECK(symbols(classes) == "delta_k=dE/dy_k=(softmax_k(y)-t_k)/2(6)");
}

TEST_CASE("units beyond those asked for are left out, and so are terms of sums") {
  const nn::delta_report report =
      drawn_report<double>({nn::dense(9, nn::tanh), nn::dense(8)}, 1, nn::half_squared_error);
  const nn::delta_format format{.most_units = 4};
  CHECK(nn::forward_pass(report, 1, format).lines.size() == 8);       // 4 a and 4 z
  CHECK(nn::deltas(report, 0, format).lines.size() == 5);             // the formula and 4 of 9
  CHECK(nn::gradients(report, 1, format).lines.size() == 1 + 8 + 4);  // of 72 weights, 8 biases
  const nn::line a = nn::forward_pass(report, 1, format).lines.front();
  const auto is_dots = [](const piece& p) { return p.text == "..."; };
  CHECK(std::count_if(a.begin(), a.end(), is_dots) == 1);
}
