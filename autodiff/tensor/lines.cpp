#include <autodiff/tensor/lines.hpp>

namespace autodiff {

line_walk::line_walk(const shape& whole, const axes& along, std::string_view operation) {
  const std::array<bool, most_dimensions> gone = reduced_axes(whole, along, operation);
  for (std::size_t i = 0; i < whole.rank(); ++i) (gone[i] ? length_ : lines_) *= whole[i];
  if (whole.size() == 0) return;

  // Neighbouring axes of one kind are one dimension.
  std::size_t stride = whole.size(), turns = 0;
  bool last_gone = false;
  for (std::size_t i = 0; i < whole.rank(); ++i) {
    if (whole[i] == 1) continue;
    stride /= whole[i];
    dimensions& kind = gone[i] ? along_ : across_;
    if (turns > 0 && gone[i] == last_gone) {
      kind.extents[kind.rank - 1] *= whole[i];
    } else {
      kind.extents[kind.rank++] = whole[i];
      ++turns;
    }
    kind.strides[kind.rank - 1] = stride;
    last_gone = gone[i];
  }
  in_place_ = turns < 2 || (turns == 2 && last_gone);
  if (in_place_) return;
  if (last_gone)
    piece_ = along_.extents[--along_.rank];
  else
    neighbours_ = across_.extents[--across_.rank];
}

}  // namespace autodiff
