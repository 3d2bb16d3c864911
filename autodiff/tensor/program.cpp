#include <autodiff/tensor/program.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/repetition.hpp>

#include <algorithm>
#include <limits>
#include <new>

namespace autodiff {
namespace {

using index = std::uint32_t;
constexpr index none = std::numeric_limits<index>::max();

// Of one value. A few of them fit into the first-level cache, and the call of a loop is small
// beside its work.
constexpr std::size_t block_bytes = 4096;

/// What the pullback to one operand reads, and whether its slope is exactly 1.
template <class T>
slope_needs needs_for(const instruction<T>& f, std::size_t operand) {
  if (f.unary) return {f.unary->needs_x, false, f.unary->needs_y, false};
  return operand == 0 ? f.binary->for_a : f.binary->for_b;
}

/// What is known of one value during a run.
template <class T>
struct cell {
  bool is_live = false;    // the result depends on it
  bool is_active = false;  // it depends on an input with an adjoint
  bool is_read = false;    // by a slope
  bool is_needed = false;  // by a slope or for a value that is
  // Of the share in the adjoint of each operand: whether it is the first one, and whether the
  // operand takes this adjoint over as it is.
  std::array<bool, instruction<T>::most_operands> is_first{}, is_lent{};
  store first = store::write;  // what the first share in its own adjoint does
  index uses = 0;              // as an operand of live rows
  index readers = 0;           // of its value, still to come
  bool has_shares = false;
  index value_slot = none, adjoint_slot = none;

  // In the block at hand; the stride of values is 0 for a constant.
  const T* value = nullptr;
  std::size_t stride = 1;
  const T* adjoint = nullptr;
  T* share = nullptr;  // where shares of the adjoint go
};

/// One input beside the result.
template <class T>
struct stream {
  bool is_whole;   // as many elements as the result: no repetition
  bool is_steady;  // repeated so that it is the same in each block
  const T* from = nullptr;
  T* into = nullptr;
  repetition reading, adding;

  stream(const shape& whole, const shape& own, std::size_t block)
      : is_whole(own.size() == whole.size()), reading(whole, own), adding(reading) {
    is_steady = !is_whole && reading.period() != 0 && block % reading.period() == 0;
  }
};

/// Numbers of block buffers. Those given back are taken again first.
class slot_list {
 public:
  explicit slot_list(std::size_t most) : block_(shape{most}), free_(block_.writable()) {}
  index take() { return free_count_ > 0 ? free_[--free_count_] : count_++; }
  void give(index slot) {
    if (slot != none) free_[free_count_++] = slot;
  }
  std::size_t count() const noexcept { return count_; }

 private:
  array<index> block_;
  index* free_;
  std::size_t free_count_ = 0;
  index count_ = 0;
};

template <class T>
shape broadcast_all(std::span<const array<T>> inputs) {
  shape whole = inputs[0].shape();
  for (const array<T>& input : inputs.subspan(1)) whole = broadcast(whole, input.shape(), "fuse");
  return whole;
}

/// Elements of a block. It is a multiple of the longest period of an input that fits into it, so
/// that this input is laid out once.
template <class T>
std::size_t block_size(const shape& whole, std::span<const array<T>> inputs) {
  constexpr std::size_t most = std::max<std::size_t>(block_bytes / sizeof(T), 1);
  std::size_t longest = 1;
  for (const array<T>& input : inputs) {
    if (input.shape().size() == whole.size()) continue;
    const std::size_t period = repetition(whole, input.shape()).period();
    if (period <= most) longest = std::max(longest, period);
  }
  return std::min(most - most % longest, whole.size());
}

/// One run over the blocks, forwards or backwards.
template <class T>
class block_run {
 public:
  block_run(const program<T>& p, std::span<const array<T>> inputs)
      : p_(p), inputs_(inputs), cell_block_(shape{p.size()}, cell<T>{}) {
    cells_ = cell_block_.writable();
    cells_[p.result()].is_live = true;
    for (index i = p.result() + 1; i-- > 0;) {
      if (!cells_[i].is_live) continue;
      if (i >= p.inputs() && !p[i].is_row()) {
        cells_[i].value = &p[i].constant;
        cells_[i].stride = 0;
      }
      for_each_operand(i, [](cell<T>& x, std::size_t) {
        x.is_live = true;
        ++x.uses;
      });
    }
  }

  array<T> forward();
  /// Finds out what the pullback needs when these inputs have adjoints.
  void activate(std::span<const bool> active);
  bool needs(index value) const { return cells_[value].is_needed; }
  void backward(const array<T>& dy, std::span<const input_adjoint<T>> adjoints);

 private:
  template <class Visitor>
  void for_each_operand(index row, Visitor&& visit) {
    for (std::size_t o = 0; o < p_[row].arity; ++o) visit(cells_[p_[row].operands[o]], o);
  }
  /// Visits the rows that the result depends on.
  template <class Visitor>
  void for_each_row(Visitor&& visit) {
    for (index i = p_.inputs(); i <= p_.result(); ++i) {
      if (cells_[i].is_live && p_[i].is_row()) visit(i, cells_[i]);
    }
  }
  template <class Visitor>
  void for_each_row_backwards(Visitor&& visit) {
    for (index i = p_.result() + 1; i-- > p_.inputs();) {
      if (cells_[i].is_live && p_[i].is_row()) visit(i, cells_[i]);
    }
  }
  bool is_input(const cell<T>& c) const { return &c < cells_ + p_.inputs(); }

  void open_streams(const shape& whole);
  void open_buffers(const slot_list& slots);
  T* buffer(index slot) { return buffers_ + slot * buffer_size_; }
  void place_values(slot_list& slots);
  void place_adjoints(slot_list& slots);

  void compute(std::size_t start, std::size_t n, T* y);
  void read(index input, std::size_t start, std::size_t n);
  void open_share(index input, std::size_t start, std::size_t n);
  void close_share(index input, std::size_t start, std::size_t n);
  void pull(index row, cell<T>& y, std::size_t n);

  const program<T>& p_;
  std::span<const array<T>> inputs_;
  array<cell<T>> cell_block_;
  cell<T>* cells_;
  array<stream<T>> stream_block_;
  stream<T>* streams_ = nullptr;
  array<T> buffer_block_;
  T* buffers_ = nullptr;
  std::size_t size_ = 0, block_ = 0, buffer_size_ = 0;
};

template <class T>
void block_run<T>::open_streams(const shape& whole) {
  size_ = whole.size();
  block_ = block_size(whole, inputs_);
  stream_block_ = array<stream<T>>(shape{p_.inputs()});
  streams_ = stream_block_.writable();
  for (index k = 0; k < p_.inputs(); ++k) {
    new (streams_ + k) stream<T>(whole, inputs_[k].shape(), block_);
    streams_[k].from = inputs_[k].data();
  }
}

template <class T>
void block_run<T>::open_buffers(const slot_list& slots) {
  // One cache line more than the block: at distances of a power of two they would share sets.
  constexpr std::size_t line = std::max<std::size_t>(64 / sizeof(T), 1);
  buffer_size_ = (block_ / line + 2) * line;
  buffer_block_ = array<T>(shape{slots.count() * buffer_size_});
  buffers_ = buffer_block_.writable();
}

/// A slot for each value that is needed, given back after the last use unless a slope reads it. The
/// result of a forward run has none: it goes to memory.
template <class T>
void block_run<T>::place_values(slot_list& slots) {
  for (index k = 0; k < p_.inputs(); ++k) {
    if (cells_[k].is_needed && !streams_[k].is_whole) cells_[k].value_slot = slots.take();
  }
  const auto needed_operands = [this](index row, auto visit) {
    if (!cells_[row].is_needed) return;
    for_each_operand(row, [&](cell<T>& x, std::size_t) {
      if (!is_input(x)) visit(x);
    });
  };
  for_each_row([&](index i, cell<T>&) { needed_operands(i, [](cell<T>& x) { ++x.readers; }); });
  for_each_row([&](index i, cell<T>& y) {
    if (y.is_needed && (y.is_read || y.readers > 0)) y.value_slot = slots.take();
    needed_operands(i, [&](cell<T>& x) {
      if (--x.readers == 0 && !x.is_read) slots.give(x.value_slot);
    });
  });
}

/// The values of a block: those that are needed, the result of a forward run to y.
template <class T>
void block_run<T>::compute(std::size_t start, std::size_t n, T* y) {
  for (index k = 0; k < p_.inputs(); ++k) {
    if (cells_[k].is_needed) read(k, start, n);
  }
  for_each_row([&](index i, cell<T>& c) {
    if (!c.is_needed) return;
    T* to = c.value_slot == none ? y : buffer(c.value_slot);
    const instruction<T>& f = p_[i];
    const cell<T>& a = cells_[f.operands[0]];
    if (f.unary) {
      f.unary->forward(n, a.value, to);
    } else {
      const cell<T>& b = cells_[f.operands[1]];
      f.binary->forward(n, a.value, a.stride, b.value, b.stride, to);
    }
    c.value = to;
  });
}

template <class T>
void block_run<T>::read(index input, std::size_t start, std::size_t n) {
  stream<T>& s = streams_[input];
  const T*& value = cells_[input].value;
  if (s.is_whole) {
    value = s.from + start;
  } else if (start == 0 || !s.is_steady) {
    T* block = buffer(cells_[input].value_slot);
    const bool in_place = s.reading.is_contiguous(n);
    value = in_place ? s.from + s.reading.offset() : block;
    s.reading.advance(n, [&](std::size_t done, std::size_t at, std::size_t count, bool moves) {
      if (in_place) return;
      if (moves)
        std::copy_n(s.from + at, count, block + done);
      else
        std::fill_n(block + done, count, s.from[at]);
    });
  }
}

template <class T>
array<T> block_run<T>::forward() {
  const shape whole = broadcast_all(inputs_);
  array<T> y(whole);
  T* to = y.writable();
  for (index i = 0; i <= p_.result(); ++i) cells_[i].is_needed = cells_[i].is_live;
  open_streams(whole);
  slot_list slots(p_.size());
  place_values(slots);
  open_buffers(slots);
  for (std::size_t start = 0; start < size_; start += block_) {
    compute(start, std::min(block_, size_ - start), to + start);
  }
  return y;
}

template <class T>
void block_run<T>::activate(std::span<const bool> active) {
  for (index k = 0; k < p_.inputs(); ++k) cells_[k].is_active = cells_[k].is_live && active[k];
  for_each_row([&](index i, cell<T>& y) {
    for_each_operand(i, [&](cell<T>& x, std::size_t) { y.is_active |= x.is_active; });
  });
  const auto read = [](cell<T>& x, bool reads) {
    x.is_read |= reads;
    x.is_needed |= reads;
  };
  for_each_row_backwards([&](index i, cell<T>& y) {
    for_each_operand(i, [&](cell<T>& x, std::size_t o) {
      if (!x.is_active) return;
      const slope_needs reads = needs_for(p_[i], o);
      read(cells_[p_[i].operands[0]], reads.a);
      if (p_[i].arity > 1) read(cells_[p_[i].operands[1]], reads.b);
      read(y, reads.y);
    });
    if (y.is_needed) for_each_operand(i, [](cell<T>& x, std::size_t) { x.is_needed = true; });
  });
}

/// A slot for each adjoint, from its first share to the pullback of its row. Where a slope is 1 and
/// nobody else adds, an operand takes the slot over.
template <class T>
void block_run<T>::place_adjoints(slot_list& slots) {
  for (index k = 0; k < p_.inputs(); ++k) {
    if (cells_[k].is_active && !streams_[k].is_whole) cells_[k].adjoint_slot = slots.take();
  }
  for_each_row_backwards([&](index i, cell<T>& y) {
    if (y.is_active) {
      bool is_lent = false;
      for_each_operand(i, [&](cell<T>& x, std::size_t o) {
        if (!x.is_active) return;
        y.is_first[o] = !std::exchange(x.has_shares, true);
        if (is_input(x) || !y.is_first[o]) return;
        y.is_lent[o] = !is_lent && x.uses == 1 && needs_for(p_[i], o).is_unit;
        is_lent |= y.is_lent[o];
        x.adjoint_slot = y.is_lent[o] ? y.adjoint_slot : slots.take();
      });
      if (!is_lent) slots.give(y.adjoint_slot);
    }
    if (y.is_read) slots.give(y.value_slot);
  });
}

/// Shows where shares of an input's adjoint go in this block.
template <class T>
void block_run<T>::open_share(index input, std::size_t start, std::size_t n) {
  stream<T>& s = streams_[input];
  cell<T>& c = cells_[input];
  if (s.is_whole) {
    c.share = s.into + start;
  } else if (s.adding.is_contiguous(s.is_steady ? block_ : n)) {
    c.share = s.into + s.adding.offset();
    c.first = store::add;
  } else {
    c.share = buffer(c.adjoint_slot);
    c.first = s.is_steady && start > 0 ? store::add : store::write;
  }
}

/// Sums the shares of a block over what is repeated: of all blocks at once where they are alike.
template <class T>
void block_run<T>::close_share(index input, std::size_t start, std::size_t n) {
  stream<T>& s = streams_[input];
  const T* share = cells_[input].share;
  if (s.is_whole || (s.is_steady && start + n < size_)) return;
  const bool in_place = s.adding.is_contiguous(n);
  s.adding.advance(s.is_steady ? block_ : n,
                   [&](std::size_t done, std::size_t at, std::size_t count, bool moves) {
                     if (in_place) return;
                     if (moves)
                       plain<T>().accumulate(count, T(1), share + done, 1, s.into + at, store::add);
                     else
                       s.into[at] += plain<T>().sum(count, share + done);
                   });
}

/// Adds to the adjoints of a row's operands.
template <class T>
void block_run<T>::pull(index row, cell<T>& y, std::size_t n) {
  const instruction<T>& f = p_[row];
  cell<T>& a = cells_[f.operands[0]];
  cell<T>& b = cells_[f.operands[1]];
  const double tie = f.binary && a.is_active && b.is_active ? 0.5 : 0.0;
  for_each_operand(row, [&](cell<T>& x, std::size_t o) {
    if (!x.is_active) return;
    if (!is_input(x)) {
      x.adjoint = y.adjoint;
      if (y.is_lent[o]) return;
      x.adjoint = x.share = buffer(x.adjoint_slot);
    }
    const store how = y.is_first[o] ? x.first : store::add;
    if (f.unary) {
      f.unary->pullback(n, a.value, y.value, y.adjoint, x.share, how);
    } else {
      const auto loop = o == 0 ? f.binary->pullback_a : f.binary->pullback_b;
      loop(n, a.value, a.stride, b.value, b.stride, y.value, y.adjoint, x.share, how, tie);
    }
  });
}

template <class T>
void block_run<T>::backward(const array<T>& dy, std::span<const input_adjoint<T>> adjoints) {
  open_streams(dy.shape());
  for (index k = 0; k < p_.inputs(); ++k) {
    if (!cells_[k].is_active) continue;
    if (streams_[k].is_whole) {
      const auto place = adjoints[k]->open();
      streams_[k].into = place.data;
      cells_[k].first = place.how;
    } else {
      streams_[k].into = adjoints[k]->open_zeroed();
    }
  }
  slot_list slots(2 * p_.size());
  place_values(slots);
  place_adjoints(slots);
  open_buffers(slots);
  const auto for_each_active_input = [this](auto visit) {
    for (index k = 0; k < p_.inputs(); ++k) {
      if (cells_[k].is_active) visit(k);
    }
  };
  for (std::size_t start = 0; start < size_; start += block_) {
    const std::size_t n = std::min(block_, size_ - start);
    compute(start, n, nullptr);
    for_each_active_input([&](index k) { open_share(k, start, n); });
    cells_[p_.result()].adjoint = dy.data() + start;
    for_each_row_backwards([&](index i, cell<T>& y) {
      if (y.is_active) pull(i, y, n);
    });
    for_each_active_input([&](index k) { close_share(k, start, n); });
  }
}

}  // namespace

template <class T>
program<T>::program(std::size_t inputs)
    : code_(shape{2 * inputs + 14}), inputs_(index(inputs)), size_(index(inputs)) {
  std::fill_n(code_.writable(), inputs, instruction<T>{});
}

template <class T>
index program<T>::append(const instruction<T>& next) {
  if (size_ == code_.size()) {
    array<instruction<T>> larger(shape{2 * code_.size()});
    std::copy_n(code_.data(), size_, larger.writable());
    code_ = std::move(larger);
  }
  code_.writable()[size_] = next;
  return size_++;
}

template <class T>
index program<T>::constant(const T& number) {
  return append({.constant = number});
}
template <class T>
index program<T>::apply(const unary_loops<T>& f, index x) {
  return append({.unary = &f, .operands = {x, x}, .arity = 1});
}
template <class T>
index program<T>::apply(const binary_loops<T>& f, index a, index b) {
  return append({.binary = &f, .operands = {a, b}, .arity = 2});
}

template <class T>
void program<T>::finish(index result) {
  result_ = (*this)[result].is_row() ? result : apply(loops<T>().multiply, result, constant(T(1)));
}

template <class T>
array<T> program<T>::evaluate(std::span<const array<T>> inputs) const {
  return block_run<T>(*this, inputs).forward();
}

template <class T>
void program<T>::drop_unread(std::span<array<T>> inputs, std::span<const bool> active) const {
  block_run<T> run(*this, inputs);
  run.activate(active);
  for (index k = 0; k < inputs_; ++k) {
    if (!run.needs(k)) inputs[k].reset();
  }
}

template <class T>
void program<T>::pull(const array<T>& dy, std::span<const array<T>> inputs,
                      std::span<const bool> active,
                      std::span<const input_adjoint<T>> adjoints) const {
  block_run<T> run(*this, inputs);
  run.activate(active);
  run.backward(dy, adjoints);
}

#define INSTANTIATE(T) template class program<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
