#include <autodiff/tensor/lines.hpp>

namespace autodiff {

void line_walk::dimensions::add(const dimension& d) {
  const auto extent = static_cast<std::ptrdiff_t>(d.extent);
  if (rank > 0 && list[rank - 1].from == d.from * extent && list[rank - 1].to == d.to * extent) {
    dimension& last = list[rank - 1];
    last = {last.extent * d.extent, d.from, d.to};
  } else {
    list[rank++] = d;
  }
}

line_walk::line_walk(const shape& whole, const stride_list& strides, const axes& along,
                     std::string_view operation) {
  const std::array<bool, most_dimensions> gone = reduced_axes(whole, along, operation);
  for (std::size_t i = 0; i < whole.rank(); ++i) (gone[i] ? length_ : lines_) *= whole[i];
  if (whole.size() == 0) return;
  const stride_list own = row_major_strides(whole);
  for (std::size_t i = 0; i < whole.rank(); ++i) {
    if (whole[i] != 1) (gone[i] ? along_ : across_).add({whole[i], strides[i], own[i]});
  }
  piece_ = along_.split_last();
  neighbours_ = across_.split_last();
  const bool lines_are_contiguous = along_.rank == 0 && piece_.from == 1 && piece_.to == 1;
  in_place_ = lines_are_contiguous && is_row_major(whole, strides);
  one_by_one_ = lines_are_contiguous && !in_place_;
}

}  // namespace autodiff
