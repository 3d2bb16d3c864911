#include <autodiff/tensor/block_run.hpp>

#include <autodiff/tensor/input_stream.hpp>
#include <autodiff/tensor/schedule.hpp>
#include <autodiff/tensor/scratch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <optional>
#include <utility>

namespace autodiff {
namespace {

// What the buffers and streams of one block share: most of a first-level cache.
constexpr std::size_t near_bytes = 24 << 10;
// A value of fewer bytes is in a cache near enough without being asked for.
constexpr std::size_t far_bytes = std::size_t{1} << 18;
// The lines of one stream that memory is asked for before a row: more at a time would wait for it.
constexpr std::size_t lines_at_once = 24;

template <class T>
constexpr std::size_t cache_line = 64 / sizeof(T);

/// Where a value stands in the block at hand.
template <class T>
struct standing {
  operand_row<T> value{nullptr, 1};
  const T* adjoint = nullptr;
  T* share = nullptr;          // where shares in the adjoint go,
  store first = store::write;  // and what the first of them does
};

template <class T>
shape broadcast_all(std::span<const array<T>> inputs) {
  shape whole = inputs[0].shape();
  for (const array<T>& input : inputs.subspan(1)) whole = broadcast(whole, input.shape(), "fuse");
  return whole;
}

/// One run over the blocks, forwards or backwards.
template <class T>
class block_run {
 public:
  using index = typename program<T>::index;

  block_run(const program<T>& p, schedule<T>& s, std::span<const array<T>> inputs,
            const shape& whole);

  void forward(T* y);
  void backward(const T* dy, std::span<const input_adjoint<T>> adjoints);

 private:
  template <class Visitor>
  void for_each_block(Visitor&& visit) {
    for (std::size_t start = 0; start < size_; start += block_) {
      ahead_ = start + block_;
      visit(start, std::min(block_, size_ - start));
    }
  }
  bool is_far() const { return size_ * sizeof(T) >= far_bytes; }
  T* buffer(std::uint32_t slot) {
    return slot == slot_list::none ? nullptr : buffers_ + slot * buffer_size_;
  }
  std::array<operand_row<T>, 3> operands_of(const instruction<T>& f) const {
    return {at_[f.operands[0]].value, at_[f.operands[1]].value, at_[f.operands[2]].value};
  }

  void open_inputs(std::span<const array<T>> inputs, const shape& whole);
  void open_adjoints(std::span<const input_adjoint<T>> adjoints);
  void choose_block();
  void open_buffers();
  void fetch_ahead();
  void compute(std::size_t start, std::size_t n, T* y);
  void pull(index row, const scheduled<T>& y, std::size_t n);

  const program<T>& p_;
  schedule<T>& schedule_;
  slot_list slots_;
  std::size_t size_, block_ = 0, buffer_size_ = 0, fetched_ = 0, ahead_ = 0;
  scratch<standing<T>, 24> standing_memory_;
  standing<T>* at_;
  scratch<input_stream<T>, 4> stream_memory_;
  input_stream<T>* inputs_;
  std::optional<scratch<T, 256>> buffer_memory_;
  T* buffers_ = nullptr;
  const T* result_ = nullptr;  // or its adjoint
};

template <class T>
block_run<T>::block_run(const program<T>& p, schedule<T>& s, std::span<const array<T>> inputs,
                        const shape& whole)
    : p_(p),
      schedule_(s),
      slots_(2 * p.size()),
      size_(whole.size()),
      standing_memory_(p.size(), standing<T>{}),
      at_(standing_memory_.data()),
      stream_memory_(inputs.size()),
      inputs_(stream_memory_.data()) {
  open_inputs(inputs, whole);
  for (index i = p.inputs(); i <= p.result(); ++i) {
    if (!p[i].is_row()) at_[i].value = {&p[i].constant, 0};
  }
  schedule_.place_values(slots_);
}

template <class T>
void block_run<T>::open_inputs(std::span<const array<T>> inputs, const shape& whole) {
  for (index k = 0; k < p_.inputs(); ++k) {
    new (inputs_ + k) input_stream<T>(inputs[k].data(), inputs[k].shape(), whole);
    if (inputs_[k].is_whole()) continue;
    if (schedule_[k].is_needed) schedule_[k].value_slot = slots_.take();
    if (schedule_[k].is_active) schedule_[k].adjoint_slot = slots_.take();
  }
}

/// The elements of a block: as many as fit into the near cache, with what is fetched ahead, and a
/// multiple of the longest period among them, so that this input is laid out once.
template <class T>
void block_run<T>::choose_block() {
  std::size_t buffers = slots_.count() + 2;  // the result, and the next block of it
  for (index k = 0; k < p_.inputs(); ++k) {
    if (!inputs_[k].is_whole()) continue;
    buffers += 2 * (std::size_t{schedule_[k].is_needed} + std::size_t{schedule_[k].is_active});
  }
  std::size_t most = std::max(near_bytes / (buffers * sizeof(T)), 4 * cache_line<T>);
  if (is_far()) most = std::min(most, schedule_.passes() * lines_at_once * cache_line<T>);
  std::size_t longest = cache_line<T>;
  for (index k = 0; k < p_.inputs(); ++k) {
    if (inputs_[k].is_whole()) continue;
    const std::size_t period = inputs_[k].period();
    if (period <= most) longest = std::max(longest, period);
  }
  block_ = std::min(most - most % longest, size_);
  for (index k = 0; k < p_.inputs(); ++k) inputs_[k].choose_block(block_);
}

template <class T>
void block_run<T>::open_adjoints(std::span<const input_adjoint<T>> adjoints) {
  for (index k = 0; k < p_.inputs(); ++k) {
    if (schedule_[k].is_active) inputs_[k].open_adjoint(adjoints[k]);
  }
}

template <class T>
void block_run<T>::open_buffers() {
  choose_block();
  buffer_size_ = (block_ + cache_line<T> - 1) / cache_line<T> * cache_line<T>;
  buffers_ = buffer_memory_.emplace(slots_.count() * buffer_size_).data();
  if (!is_far()) return;
  fetched_ = (block_ / schedule_.passes() / cache_line<T> + 1) * cache_line<T>;
}

/// Asks memory for a piece of the next block, before each row of this one: it would be idle while
/// rows go over buffers, and its own guesses end with every page.
template <class T>
void block_run<T>::fetch_ahead() {
  const std::size_t end = std::min(ahead_ + fetched_, size_);
  const auto fetch = [&](const T* from) {
    for (std::size_t i = ahead_; i < end; i += cache_line<T>) __builtin_prefetch(from + i);
  };
  if (fetched_ == 0) return;
  for (index k = 0; k < p_.inputs(); ++k) {
    if (!inputs_[k].is_whole()) continue;
    if (schedule_[k].is_needed) fetch(inputs_[k].from());
    if (schedule_[k].is_active) fetch(inputs_[k].into());
  }
  fetch(result_);
  ahead_ = end;
}

/// The values of a block that are needed: to buffers, the result of a forward run to y.
template <class T>
void block_run<T>::compute(std::size_t start, std::size_t n, T* y) {
  for (index k = 0; k < p_.inputs(); ++k) {
    if (!schedule_[k].is_needed) continue;
    at_[k].value.values = inputs_[k].read(start, n, buffer(schedule_[k].value_slot));
  }
  schedule_.for_each_row([&](index i, const scheduled<T>& row) {
    if (!row.is_needed) return;
    fetch_ahead();
    T* to = row.value_slot == slot_list::none ? y : buffer(row.value_slot);
    const instruction<T>& f = p_[i];
    const auto [a, b, c] = operands_of(f);
    if (f.unary)
      f.unary->forward(n, a.values, to);
    else if (f.binary)
      f.binary->forward(n, a.values, a.stride, b.values, b.stride, to);
    else
      f.ternary->forward(n, a, b, c, to);
    at_[i].value.values = to;
  });
}

template <class T>
void block_run<T>::forward(T* y) {
  result_ = y;
  open_buffers();
  for_each_block([&](std::size_t start, std::size_t n) { compute(start, n, y + start); });
}

/// Adds to the adjoints of a row's operands.
template <class T>
void block_run<T>::pull(index row, const scheduled<T>& y, std::size_t n) {
  const instruction<T>& f = p_[row];
  const std::array<operand_row<T>, 3> x = operands_of(f);
  const T* value = at_[row].value.values;
  const T* dy = at_[row].adjoint;
  const double tie =
      schedule_[f.operands[0]].is_active && schedule_[f.operands[1]].is_active ? 0.5 : 0.0;
  schedule_.for_each_operand(row, [&](const scheduled<T>& operand, std::size_t o) {
    if (!operand.is_active) return;
    standing<T>& at = at_[f.operands[o]];
    if (y.is_lent[o]) {
      at.adjoint = dy;
      return;
    }
    if (!schedule_.is_input(operand)) at.adjoint = at.share = buffer(operand.adjoint_slot);
    const store how = y.is_first[o] ? at.first : store::add;
    if (f.unary) {
      f.unary->pullback(n, x[0].values, value, dy, at.share, how);
    } else if (f.binary) {
      const auto loop = o == 0 ? f.binary->pullback_a : f.binary->pullback_b;
      loop(n, x[0].values, x[0].stride, x[1].values, x[1].stride, value, dy, at.share, how, tie);
    } else {
      f.ternary->pullbacks[o](n, x[0], x[1], x[2], value, dy, at.share, how);
    }
  });
}

template <class T>
void block_run<T>::backward(const T* dy, std::span<const input_adjoint<T>> adjoints) {
  if (!schedule_[p_.result()].is_active) return;
  result_ = dy;
  open_adjoints(adjoints);
  schedule_.place_adjoints(slots_);
  open_buffers();
  const auto for_each_active_input = [this](auto visit) {
    for (index k = 0; k < p_.inputs(); ++k) {
      if (schedule_[k].is_active) visit(k);
    }
  };
  for_each_block([&](std::size_t start, std::size_t n) {
    compute(start, n, nullptr);
    for_each_active_input([&](index k) {
      const auto place = inputs_[k].open_share(start, n, buffer(schedule_[k].adjoint_slot));
      at_[k].share = place.share;
      at_[k].first = place.first;
    });
    at_[p_.result()].adjoint = dy + start;
    schedule_.for_each_row_backwards([&](index i, const scheduled<T>& y) {
      if (!y.is_active) return;
      fetch_ahead();
      pull(i, y, n);
    });
    for_each_active_input(
        [&](index k) { inputs_[k].close_share(n, start + n == size_, at_[k].share); });
  });
}

}  // namespace

template <class T>
array<T> evaluate(const program<T>& p, std::span<const array<T>> inputs) {
  const shape whole = broadcast_all(inputs);
  array<T> y(whole);
  if (whole.size() == 0) return y;
  schedule<T> all(p);
  block_run<T>(p, all, inputs, whole).forward(y.writable());
  return y;
}

template <class T>
void drop_unread(const program<T>& p, std::span<array<T>> inputs, std::span<const bool> active) {
  const schedule<T> s(p, active);
  for (std::uint32_t k = 0; k < p.inputs(); ++k) {
    if (!s[k].is_needed) inputs[k].reset();
  }
}

template <class T>
void pull(const program<T>& p, const array<T>& dy, std::span<const array<T>> inputs,
          std::span<const input_adjoint<T>> adjoints, std::span<const bool> active) {
  schedule<T> needed(p, active);
  block_run<T>(p, needed, inputs, dy.shape()).backward(dy.data(), adjoints);
}

#define INSTANTIATE(T)                                                                      \
  template array<T> evaluate(const program<T>&, std::span<const array<T>>);                 \
  template void drop_unread(const program<T>&, std::span<array<T>>, std::span<const bool>); \
  template void pull(const program<T>&, const array<T>&, std::span<const array<T>>,         \
                     std::span<const input_adjoint<T>>, std::span<const bool>);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
