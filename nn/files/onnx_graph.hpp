#pragma once
// An ONNX graph under construction: nodes, the values between them by name, and constants.

#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/files/stored_tensor.hpp>

#include <onnx.pb.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

template <class T>
class onnx_graph {
 public:
  /// A value of the graph, by its name.
  using value = std::string;

  /// The input, [batch, ...] with the extents of a sample.
  value input(const std::string& name, const autodiff::shape& sample);
  /// Gives y this name too, and makes it the output.
  void output(const std::string& name, const value& y, const autodiff::shape& sample);

  /// A tensor of the network, under its name there.
  value constant(const std::string& name, const autodiff::tensor<T>& values);
  /// A number, of rank 0; the same one for equal numbers.
  value number(double x);

  /// The output of a new node.
  value node(std::string_view operation, std::initializer_list<value> inputs);
  // The same, with an attribute.
  value node(std::string_view operation, std::initializer_list<value> inputs,
             const std::string& attribute, float setting);
  value node(std::string_view operation, std::initializer_list<value> inputs,
             const std::string& attribute, std::int64_t setting);
  value node(std::string_view operation, std::initializer_list<value> inputs,
             const std::string& attribute, const std::vector<std::int64_t>& setting);

  /// The whole file in memory.
  const onnx::ModelProto& finish(const metadata& texts);

 private:
  onnx::AttributeProto& attribute(const std::string& name);
  void describe(onnx::ValueInfoProto& what, const std::string& name, const autodiff::shape& sample);

  onnx::ModelProto model_;
  onnx::GraphProto& graph_ = *model_.mutable_graph();
  std::map<T, value> numbers_;
};

}  // namespace nn
