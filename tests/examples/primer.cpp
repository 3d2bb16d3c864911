// The worked example of "A Primer on Backpropagation with a Numerical Example, Diagrams and Python
// Code" (Santi, 2025): every number by the document's formulas, by the tape, and as its script
// printed it.

#include <tests/examples/primer_network.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace {

constexpr const char* frame = "{:<12}{:>22}{:>22}{:>14}   {}\n";

struct line_printer {
  double largest = 0;

  void operator()(const std::string& name, double formula, double tape, const char* printed,
                  const char* note = "") {
    largest = std::max(largest, std::abs(formula - tape));
    fmt::print(frame, name, fmt::format("{:.16f}", formula), fmt::format("{:.16f}", tape), printed,
               note);
  }
};

void print_heading(const char* text) { fmt::print("\n{}\n", text); }

}  // namespace

int main() {
  const primer::numbers<double> formula = primer::by_formula(), tape = primer::by_tape();
  const primer::printed_table& printed = primer::published;
  line_printer print;

  fmt::print("A 2-3-2 network, tanh then linear, no bias; x = (1, 2), t = (1, 1.15)\n");
  fmt::print("W1 = [0.1 0.2; 0.3 0.4; 0.5 0.6], W2 = [0.1 0.2 0.3; 0.4 0.5 0.6]\n");
  fmt::print("E = 1/2 sum (y - t)^2\n\n");
  fmt::print(frame, "", "by the formula", "by the tape", "as printed", "");

  print_heading("Forward: a = W z, z = tanh(a)");
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string unit = fmt::format("{}(1)", m + 1);
    print("a" + unit, formula.a1[m], tape.a1[m], "");
    print("z" + unit, formula.z1[m], tape.z1[m], printed.z1[m]);
  }
  for (std::size_t k = 0; k < 2; ++k) {
    print(fmt::format("y{} = a{}(2)", k + 1, k + 1), formula.a2[k], tape.a2[k], printed.a2[k]);
  }
  print("E", formula.e, tape.e, "");

  print_heading("Slopes of tanh, (3): h'(a) = 1 - z^2");
  for (std::size_t m = 0; m < 3; ++m) {
    print(fmt::format("h'(a{}(1))", m + 1), formula.slope1[m], tape.slope1[m], m == 2 ? "0.14" : "",
          m == 2 ? "[1]" : "");
  }

  print_heading("Deltas, (5) to (7): the adjoints of a");
  const char* printed_delta2[] = {"-0.52", "-0.01"};
  for (std::size_t k = 0; k < 2; ++k) {
    print(fmt::format("delta{}(2)", k + 1), formula.delta2[k], tape.delta2[k], printed_delta2[k],
          "[2]");
  }
  const char* printed_delta1[] = {"-0.044", "-0.039", "-0.020"};
  for (std::size_t m = 0; m < 3; ++m) {
    print(fmt::format("delta{}(1)", m + 1), formula.delta1[m], tape.delta1[m], printed_delta1[m],
          "[2]");
  }

  print_heading("Gradients of the weights: dE/dw = delta z");
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t m = 0; m < 3; ++m) {
      print(fmt::format("dE/dw{}{}(2)", k + 1, m + 1), formula.dw2[k][m], tape.dw2[k][m],
            printed.dw2[k][m]);
    }
  }
  for (std::size_t m = 0; m < 3; ++m) {
    for (std::size_t i = 0; i < 2; ++i) {
      print(fmt::format("dE/dw{}{}(1)", m + 1, i + 1), formula.dw1[m][i], tape.dw1[m][i],
            printed.dw1[m][i],
            m == 1   ? "[3]"
            : m == 2 ? "[3]"
                     : "");
    }
  }

  fmt::print("\nLargest difference between formula and tape: {:.1e}\n", print.largest);
  const nn::delta_report report = primer::compared();
  const auto apart = report.first_disagreement();
  fmt::print("compare_deltas: {}\n\n",
             apart ? nn::to_string(*apart)
                   : fmt::format("no entry differs by more than {:.0e}", report.tolerance));
  fmt::print(
      "[1] The document writes h'(a3) = tanh(1.7) = 1 - tanh^2(1.7) = 0.14. tanh(1.7) is the "
      "value, not the\n"
      "    slope; the slope is {:.6f}. It gets 0.14 because it squares 0.93, a rounded z; the same "
      "slip\n"
      "    stands in its lines for delta(1), which read tanh(...) where tanh'(...) is meant.\n"
      "[2] The document computes by hand with two decimals: (0.48 - 1) = -0.52 is really {:.6f}, "
      "because\n"
      "    y1 = 0.4869 rounds to 0.49; 1.14 - 1.15 = -0.01 is really {:.6f}.\n"
      "[3] The script ran in float32, and its tanh(1.1) = 0.8004991 is one unit of float32 above "
      "the true\n"
      "    0.8004990; 1 - z^2 magnifies that in the last digits printed here.\n"
      "    The document's E is half the sum of squares, its script minimises the mean of squares: "
      "the same\n"
      "    only because there are two outputs.\n",
      tape.slope1[2], tape.delta2[0], tape.delta2[1]);

  const primer::numbers<float> from_printed = primer::by_tape_from_printed_outputs();
  fmt::print(
      "\nThe tape in float32, from the script's own hidden outputs, beside the table it "
      "printed:\n");
  bool same = true;
  const auto compare = [&](const std::string& name, float value, const char* digits, int decimals) {
    const std::string mine = fmt::format("{:.{}f}", value, decimals);
    same = same && mine == digits;
    fmt::print("  {:<12}{:>14}{:>14}  {}\n", name, mine, digits,
               mine == digits ? "same" : "DIFFERENT");
  };
  for (std::size_t m = 0; m < 3; ++m) {
    for (std::size_t i = 0; i < 2; ++i) {
      compare(fmt::format("dE/dw{}{}(1)", m + 1, i + 1), from_printed.dw1[m][i], printed.dw1[m][i],
              8);
    }
  }
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t m = 0; m < 3; ++m) {
      compare(fmt::format("dE/dw{}{}(2)", k + 1, m + 1), from_printed.dw2[k][m], printed.dw2[k][m],
              8);
    }
  }
  compare("y1", from_printed.a2[0], printed.a2[0], 8);
  compare("y2", from_printed.a2[1], printed.a2[1], 7);
  return same && !apart && print.largest < 1e-15 ? 0 : 1;
}
