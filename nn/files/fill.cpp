#include <nn/files/fill.hpp>

#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {
namespace {

/// One kind of complaint, its first cases by name.
class complaint {
 public:
  explicit complaint(std::string_view beginning) : beginning_(beginning) {}

  void add(const std::string& what) {
    constexpr std::size_t most_named = 12;
    if (++count_ <= most_named) names_ += (count_ == 1 ? " " : ", ") + what;
    rest_ = count_ > most_named ? fmt::format(" and {} more", count_ - most_named) : "";
  }
  bool is_empty() const { return count_ == 0; }
  std::string text() const { return beginning_ + names_ + rest_; }

 private:
  std::string beginning_, names_, rest_;
  std::size_t count_ = 0;
};

autodiff::shape reversed(const autodiff::shape& s) {
  const std::vector<std::size_t> extents(std::make_reverse_iterator(s.end()),
                                         std::make_reverse_iterator(s.begin()));
  return autodiff::shape(std::span<const std::size_t>(extents));
}

/// What of the file goes where.
template <class T>
struct filling {
  autodiff::tensor<T>* into;
  const offered_tensor<T>* from;
  bool transposed;
};

/// Compares a model with a file, tensor by tensor.
template <class T>
class matching {
 public:
  explicit matching(const std::vector<offered_tensor<T>>& offered) {
    for (const offered_tensor<T>& each : offered) left_.emplace(each.name, &each);
  }

  void add(const std::string& name, autodiff::tensor<T>& into,
           const std::optional<file_place>& place) {
    const auto found = place ? left_.find(place->name) : left_.end();
    if (found == left_.end()) {
      const bool renamed = place && place->name != name;
      return missing_.add(renamed ? fmt::format("{} (for {})", in_quotes(place->name), name)
                                  : in_quotes(name));
    }
    const offered_tensor<T>* const from = found->second;
    left_.erase(found);
    const autodiff::shape wanted = place->transposed ? reversed(into.shape()) : into.shape();
    if (from->shape != wanted) {
      return misshapen_.add(fmt::format("{}, {} instead of {}", in_quotes(from->name),
                                        to_string(from->shape), to_string(wanted)));
    }
    fillings_.push_back({&into, from, place->transposed});
  }

  /// All of them, if nothing is amiss.
  const std::vector<filling<T>>& proven(
      const named_file& file, const std::function<bool(const std::string& name)>& is_ignored) {
    complaint unexpected("the model lacks its");
    for (const auto& [name, offered] : left_) {
      if (!is_ignored(name)) unexpected.add(in_quotes(name));
    }
    std::vector<std::string> texts;
    for (const complaint& each : {missing_, unexpected, misshapen_}) {
      if (!each.is_empty()) texts.push_back(each.text());
    }
    if (!texts.empty()) {
      file.refuse(fmt::format("does not fit the model: {}", fmt::join(texts, "; ")),
                  "make the model that was saved");
    }
    return fillings_;
  }

 private:
  std::map<std::string, const offered_tensor<T>*> left_;
  complaint missing_{"it lacks"}, misshapen_{"of another shape are"};
  std::vector<filling<T>> fillings_;
};

}  // namespace

template <class T>
std::vector<offered_tensor<T>> offered_by(const safetensors_file& file) {
  std::vector<offered_tensor<T>> offered;
  for (const stored_tensor& each : file.tensors()) {
    offered.push_back({each.name, each.shape, [&] { return file.template read<T>(each); }});
  }
  return offered;
}

template <class T>
void fill(const model_view<T>& model, const named_file& file,
          const std::vector<offered_tensor<T>>& offered,
          const std::function<std::optional<file_place>(const std::string& name)>& place_of,
          const std::function<bool(const std::string& name)>& is_ignored) {
  matching<T> match(offered);
  model.state([&](const std::string& name, autodiff::tensor<T>& into) {
    match.add(name, into, place_of(name));
  });
  const std::vector<filling<T>>& fillings = match.proven(file, is_ignored);
  std::vector<autodiff::tensor<T>> values;
  for (const filling<T>& each : fillings) {
    autodiff::tensor<T> read = each.from->read();
    if (each.transposed) {
      read = autodiff::tensor<T>(autodiff::transpose(read).stored().contiguous());
    }
    values.push_back(std::move(read));
  }
  for (std::size_t i = 0; i < values.size(); ++i) *fillings[i].into = std::move(values[i]);
}

template <class T>
void fill(const model_view<T>& model, const named_file& file,
          const std::vector<offered_tensor<T>>& offered) {
  fill<T>(
      model, file, offered, [](const std::string& name) { return file_place{name}; },
      [](const std::string&) { return false; });
}

#define INSTANTIATE(T)                                                                    \
  template std::vector<offered_tensor<T>> offered_by(const safetensors_file&);            \
  template void fill(const model_view<T>&, const named_file&,                             \
                     const std::vector<offered_tensor<T>>&,                               \
                     const std::function<std::optional<file_place>(const std::string&)>&, \
                     const std::function<bool(const std::string&)>&);                     \
  template void fill(const model_view<T>&, const named_file&,                             \
                     const std::vector<offered_tensor<T>>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
