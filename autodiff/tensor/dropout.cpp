#include <autodiff/tensor/dropout.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <cstdint>

namespace autodiff {
namespace {

array<std::uint8_t> drawn_mask(const shape& s, double probability, generator& random) {
  const auto threshold = static_cast<std::uint64_t>(probability * 0x1p32);
  array<std::uint8_t> stays(s);
  std::uint8_t* out = stays.writable();
  for (std::size_t i = 0; i < s.size(); i += 2) {
    const std::uint64_t bits = random();
    out[i] = (bits & 0xffffffff) >= threshold;
    if (i + 1 < s.size()) out[i + 1] = bits >> 32 >= threshold;
  }
  return stays;
}

}  // namespace

template <class T>
tensor<T> dropout(const tensor<T>& x, double probability, generator& random) {
  if (!(probability >= 0 && probability <= 1)) {
    throw domain_error("dropout", fmt::format("probability {}", probability),
                       "choose it from 0 to 1");
  }
  const array<std::uint8_t> stays = drawn_mask(x.shape(), probability, random);
  const T scale(probability < 1 ? 1 / (1 - probability) : 0.0);
  array<T> y(x.shape());
  const T* in = x.values().data();
  T* out = y.writable();
  // Selected, not multiplied: what is dropped may be infinite.
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = stays.data()[i] ? T(in[i] * scale) : T(0);
  static constexpr operation_rule rule{"dropout", "y = m ⊙ x / (1 − p), m drawn at random",
                                       "x̄ = m ⊙ ȳ / (1 − p)"};
  return record(
      rule, std::move(y),
      [stays, scale](const array<T>& dy, input_adjoint<T> dx) {
        const auto into = dx->open();
        for (std::size_t i = 0; i < dy.size(); ++i) {
          const T share = stays.data()[i] ? T(dy.data()[i] * scale) : T(0);
          into.data[i] = into.how == store::write ? share : T(into.data[i] + share);
        }
      },
      x);
}

#define INSTANTIATE(T) template tensor<T> dropout(const tensor<T>&, double, generator&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
