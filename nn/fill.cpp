#include <nn/fill.hpp>

#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <iterator>
#include <set>
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
  const stored_tensor* from;
  bool transposed;
};

}  // namespace

template <class T>
void fill(const model_view<T>& model, const safetensors_file& file,
          const std::function<std::optional<file_place>(const std::string& name)>& place_of,
          const std::function<bool(const std::string& name)>& is_ignored) {
  complaint missing("it lacks"), left("the model lacks its"), misshapen("of another shape are");
  std::vector<filling<T>> fillings;
  std::set<const stored_tensor*> used;
  model.state([&](const std::string& name, autodiff::tensor<T>& into) {
    const std::optional<file_place> place = place_of(name);
    const stored_tensor* const from = place ? file.find(place->name) : nullptr;
    if (!from) {
      const bool renamed = place && place->name != name;
      return missing.add(renamed ? fmt::format("{} (for {})", in_quotes(place->name), name)
                                 : in_quotes(name));
    }
    used.insert(from);
    const autodiff::shape wanted = place->transposed ? reversed(into.shape()) : into.shape();
    if (from->shape != wanted) {
      return misshapen.add(fmt::format("{}, {} instead of {}", in_quotes(from->name),
                                       to_string(from->shape), to_string(wanted)));
    }
    fillings.push_back({&into, from, place->transposed});
  });
  for (const stored_tensor& each : file.tensors()) {
    if (!used.contains(&each) && !is_ignored(each.name)) left.add(in_quotes(each.name));
  }
  std::vector<std::string> texts;
  for (const complaint* each : {&missing, &left, &misshapen}) {
    if (!each->is_empty()) texts.push_back(each->text());
  }
  if (!texts.empty()) {
    file.name().refuse(fmt::format("does not fit the model: {}", fmt::join(texts, "; ")),
                       "make the model that was saved");
  }

  std::vector<autodiff::tensor<T>> values;
  for (const filling<T>& each : fillings) {
    autodiff::tensor<T> read = file.template read<T>(*each.from);
    if (each.transposed) {
      read = autodiff::tensor<T>(autodiff::transpose(read).stored().contiguous());
    }
    values.push_back(std::move(read));
  }
  for (std::size_t i = 0; i < values.size(); ++i) *fillings[i].into = std::move(values[i]);
}

#define INSTANTIATE(T)                                                                    \
  template void fill(const model_view<T>&, const safetensors_file&,                       \
                     const std::function<std::optional<file_place>(const std::string&)>&, \
                     const std::function<bool(const std::string&)>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
