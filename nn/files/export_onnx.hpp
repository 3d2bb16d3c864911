#pragma once
// Networks for other programs: the inference pass as an ONNX graph, which ONNX Runtime, PyTorch's
// and TensorFlow's tools and most accelerators read.

#include <nn/files/stored_tensor.hpp>
#include <nn/network/network.hpp>

#include <filesystem>

namespace nn {

/// Writes the graph from input "x", [batch, ...] for any batch, to output "y", and the texts as its
/// metadata. Numbers keep their type, float or double. dropout is absent, as inference has it.
/// What ONNX knows as one operation becomes that operation; layer_norm, gelu, silu, mish and some
/// others become several, and so do, in double, those whose settings ONNX keeps as floats.
/// IR version 7, operator set 13 (ONNX 1.8, 2020).
/// A file of this name is replaced at once when the new one is complete.
/// Throws domain_error for an activation of one's own; io_error for a file that cannot be written,
/// a network of 2 GiB or more, and where this library was built without protobuf.
template <class T>
void export_onnx(const network<T>& net, const std::filesystem::path& path,
                 const metadata& texts = {});

}  // namespace nn
