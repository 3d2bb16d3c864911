#include <nn/files/onnx_graph.hpp>

#include <nn/files/number_type.hpp>

#include <fmt/format.h>

#include <concepts>
#include <span>

namespace nn {
namespace {

// The oldest that have every operation used here for doubles too: they are read most widely.
constexpr std::int64_t ir_version = 7, operator_set = 13;

template <class T>
constexpr auto element_type =
    std::same_as<T, float> ? onnx::TensorProto::FLOAT : onnx::TensorProto::DOUBLE;

}  // namespace

template <class T>
void onnx_graph<T>::describe(onnx::ValueInfoProto& what, const std::string& name,
                             const autodiff::shape& sample) {
  what.set_name(name);
  auto& type = *what.mutable_type()->mutable_tensor_type();
  type.set_elem_type(element_type<T>);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::size_t extent : sample) {
    type.mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(extent));
  }
}

template <class T>
auto onnx_graph<T>::input(const std::string& name, const autodiff::shape& sample) -> value {
  describe(*graph_.add_input(), name, sample);
  return name;
}

template <class T>
void onnx_graph<T>::output(const std::string& name, const value& y, const autodiff::shape& sample) {
  node("Identity", {y});
  graph_.mutable_node()->rbegin()->set_output(0, name);
  describe(*graph_.add_output(), name, sample);
}

template <class T>
auto onnx_graph<T>::constant(const std::string& name, const autodiff::tensor<T>& values) -> value {
  onnx::TensorProto& constant = *graph_.add_initializer();
  constant.set_name(name);
  constant.set_data_type(element_type<T>);
  for (const std::size_t extent : values.shape()) {
    constant.add_dims(static_cast<std::int64_t>(extent));
  }
  std::string& bytes = *constant.mutable_raw_data();
  bytes.resize(values.size() * sizeof(T));
  store(values.values(), std::as_writable_bytes(std::span(bytes)).data());
  return name;
}

template <class T>
auto onnx_graph<T>::number(double x) -> value {
  const auto [place, is_new] = numbers_.try_emplace(static_cast<T>(x), fmt::format("{}", x));
  if (is_new) constant(place->second, autodiff::tensor<T>(static_cast<T>(x)));
  return place->second;
}

template <class T>
auto onnx_graph<T>::node(std::string_view operation, std::initializer_list<value> inputs) -> value {
  std::string name = fmt::format("{}_{}", operation, graph_.node_size());
  onnx::NodeProto& node = *graph_.add_node();
  node.set_name(name);
  node.set_op_type(std::string(operation));
  for (const value& each : inputs) node.add_input(each);
  node.add_output(name);
  return name;
}

/// A new attribute of the youngest node.
template <class T>
onnx::AttributeProto& onnx_graph<T>::attribute(const std::string& name) {
  onnx::AttributeProto& added = *graph_.mutable_node()->rbegin()->add_attribute();
  added.set_name(name);
  return added;
}

template <class T>
auto onnx_graph<T>::node(std::string_view operation, std::initializer_list<value> inputs,
                         const std::string& name, float setting) -> value {
  value y = node(operation, inputs);
  onnx::AttributeProto& added = attribute(name);
  added.set_type(onnx::AttributeProto::FLOAT);
  added.set_f(setting);
  return y;
}

template <class T>
auto onnx_graph<T>::node(std::string_view operation, std::initializer_list<value> inputs,
                         const std::string& name, std::int64_t setting) -> value {
  value y = node(operation, inputs);
  onnx::AttributeProto& added = attribute(name);
  added.set_type(onnx::AttributeProto::INT);
  added.set_i(setting);
  return y;
}

template <class T>
auto onnx_graph<T>::node(std::string_view operation, std::initializer_list<value> inputs,
                         const std::string& name, const std::vector<std::int64_t>& setting)
    -> value {
  value y = node(operation, inputs);
  onnx::AttributeProto& added = attribute(name);
  added.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t each : setting) added.add_ints(each);
  return y;
}

template <class T>
const onnx::ModelProto& onnx_graph<T>::finish(const metadata& texts) {
  model_.set_ir_version(ir_version);
  model_.set_producer_name("Backsweep");
  model_.add_opset_import()->set_version(operator_set);
  graph_.set_name("network");
  for (const auto& [name, text] : texts) {
    onnx::StringStringEntryProto& entry = *model_.add_metadata_props();
    entry.set_key(name);
    entry.set_value(text);
  }
  return model_;
}

template class onnx_graph<float>;
template class onnx_graph<double>;

}  // namespace nn
