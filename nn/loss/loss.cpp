#include <nn/loss/loss.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace nn {
namespace {

std::string_view to_string(reduction how) {
  return how == reduction::mean ? "mean" : how == reduction::sum ? "sum" : "none";
}

}  // namespace

loss loss::reduced(reduction how) const {
  loss same = *this;
  same.how_ = how;
  same.full_name_ = how == usual_ ? nullptr
                                  : std::make_shared<const std::string>(
                                        fmt::format("{} ({})", plain_name_, to_string(how)));
  same.name = same.full_name_ ? std::string_view(*same.full_name_) : plain_name_;
  return same;
}

template <class T>
autodiff::tensor<T> loss::operator()(const autodiff::tensor<T>& y,
                                     const autodiff::index_array& labels) const {
  autodiff::tensor<T> t = autodiff::tensor<T>::undefined(labels.shape());
  std::ranges::transform(labels.values(), t.mutable_values().begin(),
                         [](auto label) { return static_cast<T>(label); });
  return (*this)(y, t);
}

void refuse_shapes(const loss& e, const autodiff::shape& y, const autodiff::shape& t) {
  throw autodiff::shape_error(
      e.name,
      fmt::format("outputs {} and targets {}", autodiff::to_string(y), autodiff::to_string(t)),
      "give the targets the shape of the outputs, with reshape; class labels become rows with "
      "one_hot");
}

template <class T>
autodiff::tensor<T> collected(const autodiff::tensor<T>& losses, reduction how) {
  if (how == reduction::none) return losses;
  return how == reduction::sum ? sum(losses) : mean(losses);
}

#define INSTANTIATE(T)                                                               \
  template autodiff::tensor<T> loss::operator()(const autodiff::tensor<T>&,          \
                                                const autodiff::index_array&) const; \
  template autodiff::tensor<T> collected(const autodiff::tensor<T>&, reduction);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
