// ADOL-C 2.7: traced each time with the values kept, then one reverse sweep over the trace; for
// several outputs one vector sweep, forward where there are more outputs than inputs. The buffers
// are as large as the trace was the first time, so that nothing is written to files.
// Source: Griewank, Juedes and Utke, Algorithm 755: ADOL-C, ACM TOMS 22 (1996).

#include <adolc/adolc.h>

#include <bench/peers/peer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

// The name under which the standard library has it for numbers.
static adouble abs(const adouble& x) { return fabs(x); }

namespace {

short next_tag() {
  static short tag = 0;
  return tag++;
}

/// Pointers to the rows of a matrix.
std::vector<double*> rows_of(std::vector<double>& matrix, std::size_t columns) {
  std::vector<double*> rows;
  for (std::size_t at = 0; at < matrix.size(); at += columns) rows.push_back(matrix.data() + at);
  return rows;
}

std::vector<double> identity(std::size_t n) {
  std::vector<double> matrix(n * n);
  for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] = 1;
  return matrix;
}

template <class Problem>
class on_adolc final : public bench::peers::on_problem<Problem> {
 public:
  explicit on_adolc(const Problem& problem) : bench::peers::on_problem<Problem>(problem) {
    outputs_ = trace(false);
    sizes_ = statistics();
    all_directions_ = identity(std::min(outputs_, this->x_.size()));
  }
  ~on_adolc() override { removeTape(tag_, ADOLC_REMOVE_COMPLETELY); }

  void compute() override {
    const bool forward = outputs_ > this->x_.size();
    trace(!forward);
    std::vector<double>& out = this->resized_values(outputs_);
    const auto m = static_cast<int>(outputs_), n = static_cast<int>(this->x_.size());
    if (m == 1) {
      double weight = 1;
      fos_reverse(tag_, m, n, &weight, out.data());
      return;
    }
    std::vector<double*> jacobian = rows_of(out, this->x_.size());
    std::vector<double*> directions =
        rows_of(all_directions_, forward ? this->x_.size() : outputs_);
    if (forward) {
      values_.resize(outputs_);
      std::vector<double> x = this->x_;
      fov_forward(tag_, m, n, n, x.data(), directions.data(), values_.data(), jacobian.data());
    } else {
      fov_reverse(tag_, m, n, m, directions.data(), jacobian.data());
    }
  }

  double bytes() const override {
    const std::array<std::size_t, STAT_SIZE> s = statistics();
    return static_cast<double>(s[NUM_OPERATIONS] + s[NUM_LOCATIONS] * sizeof(locint) +
                               (s[NUM_VALUES] + s[TAY_STACK_SIZE]) * sizeof(double));
  }

 private:
  /// Returns the number of outputs.
  std::size_t trace(bool keep_values) {
    const auto room = [this](StatEntries entry) {
      return static_cast<unsigned>(sizes_[entry] + sizes_[entry] / 8 + 1024);
    };
    trace_on(tag_, keep_values ? 1 : 0, room(NUM_OPERATIONS), room(NUM_LOCATIONS), room(NUM_VALUES),
             room(TAY_STACK_SIZE));
    // Made here: a trace begins with the values of all that is alive.
    std::vector<adouble> inputs(this->x_.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] <<= this->x_[i];
    auto y = this->problem_(std::span<const adouble>(inputs));
    const std::span<const adouble> outputs = bench::problems::outputs_of(y);
    double value = 0;
    for (const adouble& output : outputs) const_cast<adouble&>(output) >>= value;
    trace_off();
    return outputs.size();
  }

  std::array<std::size_t, STAT_SIZE> statistics() const {
    std::array<std::size_t, STAT_SIZE> s{};
    tapestats(tag_, s.data());
    return s;
  }

  const short tag_ = next_tag();
  std::array<std::size_t, STAT_SIZE> sizes_{};
  std::size_t outputs_ = 0;
  std::vector<double> all_directions_, values_;
};

const bench::peers::announced<on_adolc> announcement("adolc");

}  // namespace
