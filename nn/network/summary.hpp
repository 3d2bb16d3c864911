#pragma once
// What a network consists of, as a table to read.

#include <nn/network/network.hpp>

#include <string>

namespace nn {

/// A line per layer: what it is, the shape of its output for a batch of any size n, how many of its
/// numbers training learns and how many it measures, and their bytes; the totals below. The layers
/// of a residual block stand indented under it and are counted there. For example
///
///   layer             output    learned  measured    bytes
///   ----------------  --------  -------  --------  -------
///   input             [n, 784]        0         0        0
///   0 dense 128 relu  [n, 128]  100,480         0  401,920
///   ----------------  --------  -------  --------  -------
///   total             [n, 128]  100,480         0  401,920
template <class T>
std::string summary(const network<T>& net);

}  // namespace nn
