#include <autodiff/tensor/repetition.hpp>

namespace autodiff {

repetition::repetition(const shape& whole, const shape& own) {
  std::size_t count = 0, rest = own.size();
  for (std::size_t i = 0; i < whole.rank(); ++i) {
    const std::size_t missing = whole.rank() - own.rank();
    const std::size_t extent = whole[i];
    if (extent == 1) continue;
    std::size_t stride = 0;
    if (i >= missing && own[i - missing] != 1 && rest != 0) stride = rest /= extent;
    if (count > 0 && strides_[count - 1] == stride * extent) {
      extents_[count - 1] *= extent;
      strides_[count - 1] = stride;
    } else {
      extents_[count] = extent;
      strides_[count++] = stride;
    }
  }
  if (count == 0) {
    extents_[0] = 1;
    return;
  }
  last_ = count - 1;
  if (strides_[0] == 0 && extents_[0] > 0) period_ = whole.size() / extents_[0];
}

}  // namespace autodiff
