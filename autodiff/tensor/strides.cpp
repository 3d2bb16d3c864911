#include <autodiff/tensor/strides.hpp>

#include <cstring>
#include <type_traits>

namespace autodiff {
namespace {

/// `Size` is a constant where elements should be moved by single instructions.
template <class Size>
void pack_elements(const shape& s, const stride_list& strides, Size element_size,
                   const std::byte* from, std::byte* to) {
  const auto size = static_cast<std::ptrdiff_t>(std::size_t{element_size});
  for_each_strip(
      s, strides,
      [&](std::size_t n, std::ptrdiff_t at, std::ptrdiff_t view_at, std::ptrdiff_t step) {
        std::byte* out = to + at * size;
        const std::byte* in = from + view_at * size;
        if (step == 1) {
          std::memcpy(out, in, n * element_size);
        } else {
          for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(n); ++i)
            std::memcpy(out + i * size, in + i * step * size, element_size);
        }
      });
}

template <std::size_t size>
using constant = std::integral_constant<std::size_t, size>;

}  // namespace

bool is_row_major(const shape& s, const stride_list& strides) noexcept {
  if (s.size() == 0) return true;
  std::ptrdiff_t expected = 1;
  for (std::size_t axis = s.rank(); axis-- > 0;) {
    if (s[axis] != 1 && strides[axis] != expected) return false;
    expected *= static_cast<std::ptrdiff_t>(s[axis]);
  }
  return true;
}

std::optional<stride_list> reshaped_strides(const shape& from, const stride_list& strides,
                                            const shape& to) noexcept {
  stride_list result{};
  std::size_t filled = 0;
  for (std::size_t axis = 0; axis < from.rank();) {
    // Neighbouring axes that can be passed as one...
    std::size_t extent = from[axis];
    std::ptrdiff_t stride = strides[axis++];
    for (; axis < from.rank(); ++axis) {
      if (from[axis] == 1) continue;
      if (extent != 1 && stride != strides[axis] * static_cast<std::ptrdiff_t>(from[axis])) break;
      extent *= from[axis];
      stride = strides[axis];
    }
    // ... must be cut at places of their own.
    while (extent > 1) {
      const std::size_t part = to[filled];
      if (part == 0 || extent % part != 0) return std::nullopt;
      extent /= part;
      result[filled++] = stride * static_cast<std::ptrdiff_t>(extent);
    }
  }
  return result;
}

stride_list broadcast_strides(const shape& whole, const shape& s,
                              const stride_list& strides) noexcept {
  stride_list repeated{};
  const std::size_t missing = whole.rank() - s.rank();
  for (std::size_t axis = 0; axis < s.rank(); ++axis)
    if (s[axis] != 1) repeated[missing + axis] = strides[axis];
  return repeated;
}

void pack(const shape& s, const stride_list& strides, std::size_t element_size, const void* from,
          void* to) {
  const auto* in = static_cast<const std::byte*>(from);
  auto* out = static_cast<std::byte*>(to);
  switch (element_size) {
    case 4: return pack_elements(s, strides, constant<4>(), in, out);
    case 8: return pack_elements(s, strides, constant<8>(), in, out);
    case 16: return pack_elements(s, strides, constant<16>(), in, out);
    default: return pack_elements(s, strides, element_size, in, out);
  }
}

}  // namespace autodiff
