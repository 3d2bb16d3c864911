#include <nn/files/architecture.hpp>

#include <autodiff/error.hpp>

#include <nn/network/activation.hpp>
#include <nn/network/batch_norm.hpp>
#include <nn/network/dense.hpp>
#include <nn/network/dropout.hpp>
#include <nn/network/flatten.hpp>
#include <nn/network/layer_norm.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <span>
#include <variant>

#if BACKSWEEP_JSON
#include <nlohmann/json.hpp>
#endif

namespace nn {

#if BACKSWEEP_JSON
namespace {

using nlohmann::json;

// A residual block takes two levels.
constexpr int most_levels = 64;
// More than 10,000 layers. As objects of JSON they take twenty times this.
constexpr std::size_t most_bytes = std::size_t{1} << 20;

json list_of(const std::vector<layer>& layers);

struct as_json {
  json operator()(const dense& d) const {
    json text{{"layer", "dense"}, {"units", d.units}, {"activation", d.activation.name}};
    if (d.bias == bias::without) text["bias"] = false;
    return text;
  }
  json operator()(const activation& a) const { return {{"layer", "activation"}, {"name", a.name}}; }
  json operator()(const batch_norm& b) const {
    return {{"layer", "batch_norm"}, {"momentum", b.momentum}, {"epsilon", b.epsilon}};
  }
  json operator()(const layer_norm& l) const {
    return {{"layer", "layer_norm"}, {"epsilon", l.epsilon}};
  }
  json operator()(const dropout& d) const {
    return {{"layer", "dropout"}, {"probability", d.probability}};
  }
  json operator()(const flatten&) const { return {{"layer", "flatten"}}; }
  json operator()(const residual& r) const {
    return {{"layer", "residual"}, {"layers", list_of(r.inside)}};
  }
};

json list_of(const std::vector<layer>& layers) {
  json list = json::array();
  for (const layer& l : layers) {
    list.push_back(std::visit(as_json{}, static_cast<const layer::variant&>(l)));
  }
  return list;
}

/// Reads the objects of the text; what does not belong there is refused by the path.
class architecture_reader {
 public:
  explicit architecture_reader(const named_file& file) : file_(file) {}

  json parse(std::string_view text) const {
    if (text.size() > most_bytes) {
      refuse(fmt::format("has {} bytes, where {} are allowed", text.size(), most_bytes));
    }
    try {
      return json::parse(text, [&](int depth, json::parse_event_t, json&) {
        if (depth > most_levels) refuse(fmt::format("is nested more than {} deep", most_levels));
        return true;
      });
    } catch (const json::exception&) {
      refuse("is no JSON");
    }
  }

  architecture whole(const json& net) const {
    only(net, {"inputs", "layers"});
    std::vector<std::size_t> extents;
    for (const json& extent : list(net, "inputs")) extents.push_back(count(extent, "inputs"));
    try {
      return {autodiff::shape(std::span<const std::size_t>(extents)), layers(net)};
    } catch (const autodiff::shape_error&) {
      refuse("has \"inputs\" of no possible shape");
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view happened) const {
    file_.refuse(fmt::format("has an architecture in its metadata that {}", happened),
                 "build the network in your program and load() the file into it");
  }

  std::vector<layer> layers(const json& object) const {
    std::vector<layer> all;
    for (const json& each : list(object, "layers")) all.push_back(one(each));
    return all;
  }

  layer one(const json& object) const {
    const std::string kind = text(object, "layer");
    if (kind == "dense") {
      only(object, {"layer", "units", "activation", "bias"});
      return dense(count(property(object, "units"), "units"), named(text(object, "activation")),
                   object.contains("bias") && !yes(object, "bias") ? bias::without : bias::with);
    }
    if (kind == "activation") {
      only(object, {"layer", "name"});
      return named(text(object, "name"));
    }
    if (kind == "batch_norm") {
      only(object, {"layer", "momentum", "epsilon"});
      return batch_norm{.momentum = number(object, "momentum"),
                        .epsilon = number(object, "epsilon")};
    }
    if (kind == "layer_norm") {
      only(object, {"layer", "epsilon"});
      return layer_norm{.epsilon = number(object, "epsilon")};
    }
    if (kind == "dropout") {
      only(object, {"layer", "probability"});
      return dropout(number(object, "probability"));
    }
    if (kind == "flatten") {
      only(object, {"layer"});
      return flatten{};
    }
    if (kind == "residual") {
      only(object, {"layer", "layers"});
      return residual(layers(object));
    }
    refuse(fmt::format("has the unknown layer {}", in_quotes(kind)));
  }

  const activation& named(const std::string& name) const {
    if (const activation* const found = find_activation(name)) return *found;
    refuse(fmt::format("has the unknown activation {}", in_quotes(name)));
  }

  void only(const json& object, std::initializer_list<std::string_view> known) const {
    prove_object(object);
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        refuse(fmt::format("has the unknown property {}", in_quotes(name)));
      }
    }
  }

  void prove_object(const json& value) const {
    if (!value.is_object()) refuse("has a text, a number or a list where an object should be");
  }
  const json& property(const json& object, const char* name) const {
    prove_object(object);
    const auto found = object.find(name);
    if (found == object.end()) refuse(fmt::format("lacks a property \"{}\"", name));
    return *found;
  }
  [[noreturn]] void refuse_kind(std::string_view name, std::string_view kind) const {
    refuse(fmt::format("has a \"{}\" that is no {}", name, kind));
  }
  const json& list(const json& object, const char* name) const {
    const json& value = property(object, name);
    if (!value.is_array()) refuse_kind(name, "list");
    return value;
  }
  std::string text(const json& object, const char* name) const {
    const json& value = property(object, name);
    if (!value.is_string()) refuse_kind(name, "text");
    return value.get<std::string>();
  }
  bool yes(const json& object, const char* name) const {
    const json& value = property(object, name);
    if (!value.is_boolean()) refuse_kind(name, "true or false");
    return value.get<bool>();
  }
  double number(const json& object, const char* name) const {
    const json& value = property(object, name);
    if (!value.is_number()) refuse_kind(name, "number");
    return value.get<double>();
  }
  std::size_t count(const json& value, std::string_view name) const {
    if (!value.is_number_unsigned()) refuse_kind(name, "whole number");
    return value.get<std::size_t>();
  }

  const named_file& file_;
};

}  // namespace

std::string architecture_text(const architecture& net, const named_file& file) {
  json inputs = json::array();
  for (const std::size_t extent : net.inputs) inputs.push_back(extent);
  std::string text = json{{"inputs", inputs}, {"layers", list_of(net.layers)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= most_bytes) return text;
  file.refuse(fmt::format("would have an architecture of {} bytes, where {} are allowed",
                          text.size(), most_bytes),
              "save a network of fewer layers");
}

architecture parse_architecture(std::string_view text, const named_file& file) {
  const architecture_reader reader(file);
  return reader.whole(reader.parse(text));
}

#else

std::string architecture_text(const architecture&, const named_file&) { return ""; }
architecture parse_architecture(std::string_view, const named_file&) { return {}; }

#endif

namespace {

double product(const autodiff::shape& s) { return static_cast<double>(s.size()); }

/// Adds up the numbers of layers that take samples of this shape, and leaves the shape behind them.
struct counted_numbers {
  autodiff::shape sample;
  double numbers = 0;

  void operator()(const dense& d) {
    if (sample.rank() == 0) return;
    const std::size_t last = sample.rank() - 1;
    const double inputs = static_cast<double>(sample[last]), units = static_cast<double>(d.units);
    numbers += (inputs + (d.bias == bias::with ? 1 : 0)) * units;
    try {
      sample = sample.with_extent(last, d.units);
    } catch (const autodiff::shape_error&) {
      numbers = std::numeric_limits<double>::infinity();
    }
  }
  void operator()(const batch_norm&) { numbers += 4 * product(sample); }
  void operator()(const layer_norm&) { numbers += 2 * product(sample); }
  void operator()(const flatten&) { sample = autodiff::shape{sample.size()}; }
  void operator()(const residual& r) { all(r.inside); }
  void operator()(const activation&) {}
  void operator()(const dropout&) {}

  void all(const std::vector<layer>& layers) {
    for (const layer& l : layers) std::visit(*this, static_cast<const layer::variant&>(l));
  }
};

}  // namespace

double numbers_kept(const architecture& net) {
  counted_numbers count{net.inputs};
  count.all(net.layers);
  return count.numbers;
}

}  // namespace nn
