#include <autodiff/tensor/schedule.hpp>

#include <utility>

namespace autodiff {

template <class T>
schedule<T>::schedule(const program<T>& p)
    : p_(p), memory_(p.size(), scheduled<T>{}), values_(memory_.data()) {
  for (index k = 0; k < p.inputs(); ++k) values_[k].is_needed = p[k].uses > 0;
  for_each_row([this](index, scheduled<T>& y) {
    y.is_needed = true;
    ++passes_;
  });
}

template <class T>
schedule<T>::schedule(const program<T>& p, std::span<const bool> active)
    : p_(p), memory_(p.size(), scheduled<T>{}), values_(memory_.data()) {
  for (index k = 0; k < p.inputs(); ++k) values_[k].is_active = p[k].uses > 0 && active[k];
  for_each_row([this](index i, scheduled<T>& y) {
    for_each_operand(i, [&](scheduled<T>& x, std::size_t) { y.is_active |= x.is_active; });
  });
  const auto read = [](scheduled<T>& x, bool reads) {
    x.is_read |= reads;
    x.is_needed |= reads;
  };
  for_each_row_backwards([&](index i, scheduled<T>& y) {
    for_each_operand(i, [&](scheduled<T>& x, std::size_t o) {
      if (!x.is_active) return;
      const slope_reads& reads = p_[i].reads[o];
      for_each_operand(i, [&](scheduled<T>& z, std::size_t k) { read(z, reads.operands[k]); });
      read(y, reads.y);
    });
    if (y.is_needed) {
      for_each_operand(i, [](scheduled<T>& x, std::size_t) { x.is_needed = true; });
    }
    passes_ += std::size_t{y.is_needed} + std::size_t{y.is_active};
  });
}

template <class T>
void schedule<T>::place_values(slot_list& slots) {
  const auto for_each_read = [this](index i, const scheduled<T>& y, auto visit) {
    if (!y.is_needed) return;
    for_each_operand(i, [&](scheduled<T>& x, std::size_t) {
      if (!is_input(x)) visit(x);
    });
  };
  for_each_row(
      [&](index i, scheduled<T>& y) { for_each_read(i, y, [](scheduled<T>& x) { ++x.readers; }); });
  for_each_row([&](index i, scheduled<T>& y) {
    if (y.is_read || y.readers > 0) y.value_slot = slots.take();
    for_each_read(i, y, [&](scheduled<T>& x) {
      if (--x.readers == 0 && !x.is_read) slots.give(x.value_slot);
    });
  });
}

template <class T>
void schedule<T>::place_adjoints(slot_list& slots) {
  for_each_row_backwards([&](index i, scheduled<T>& y) {
    if (y.is_active) {
      // An operand that only this row uses, with a slope of 1, has the adjoint of this row.
      bool lent = false;
      for_each_operand(i, [&](scheduled<T>& x, std::size_t o) {
        if (!x.is_active) return;
        y.is_first[o] = !std::exchange(x.has_shares, true);
        if (is_input(x) || !y.is_first[o]) return;
        y.is_lent[o] = !lent && p_[p_[i].operands[o]].uses == 1 && p_[i].reads[o].is_unit;
        lent |= y.is_lent[o];
        x.adjoint_slot = y.is_lent[o] ? y.adjoint_slot : slots.take();
      });
      if (!lent) slots.give(y.adjoint_slot);
    }
    if (y.is_read) slots.give(y.value_slot);
  });
}

#define INSTANTIATE(T) template class schedule<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
