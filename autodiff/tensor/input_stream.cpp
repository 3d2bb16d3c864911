#include <autodiff/tensor/input_stream.hpp>

#include <autodiff/tensor/kernels.hpp>

namespace autodiff {

template <class T>
void input_stream<T>::open_adjoint(const input_adjoint<T>& adjoint) {
  if (is_whole()) {
    const auto place = adjoint->open();
    into_ = place.data;
    first_ = place.how;
  } else {
    into_ = adjoint->open_zeroed();
  }
}

template <class T>
const T* input_stream<T>::read(std::size_t start, std::size_t n, T* buffer) {
  if (is_whole()) return from_ + start;
  if (start > 0 && is_steady_) return block_values_;
  const bool in_place = reading_->is_contiguous(n);
  block_values_ = in_place ? from_ + reading_->offset() : buffer;
  reading_->advance(n, [&](std::size_t done, std::size_t at, std::size_t count, bool moves) {
    if (in_place) return;
    if (moves)
      std::copy_n(from_ + at, count, buffer + done);
    else
      std::fill_n(buffer + done, count, from_[at]);
  });
  return block_values_;
}

template <class T>
typename input_stream<T>::share_place input_stream<T>::open_share(std::size_t start, std::size_t n,
                                                                  T* buffer) {
  if (is_whole()) return {into_ + start, first_};
  if (adding_->is_contiguous(is_steady_ ? block_ : n))
    return {into_ + adding_->offset(), store::add};
  return {buffer, is_steady_ && start > 0 ? store::add : store::write};
}

template <class T>
void input_stream<T>::close_share(std::size_t n, bool is_last, const T* share) {
  // One buffer collects the shares of all blocks where they are alike.
  if (is_whole() || (is_steady_ && !is_last)) return;
  const std::size_t laid_out = is_steady_ ? block_ : n;
  const bool in_place = adding_->is_contiguous(laid_out);
  adding_->advance(laid_out, [&](std::size_t done, std::size_t at, std::size_t count, bool moves) {
    if (in_place) return;
    if (moves)
      plain<T>().accumulate(count, T(1), share + done, 1, into_ + at, store::add);
    else
      into_[at] += plain<T>().sum(count, share + done);
  });
}

#define INSTANTIATE(T) template class input_stream<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
