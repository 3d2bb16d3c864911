#pragma once
// How samples of a file become inputs of a network, and its outputs answers. backsweep-train keeps
// it in the metadata of the model's file, under "data", so that backsweep-predict needs no more:
//
//   {"table":{"delimiter":",","header":true,
//             "inputs":[{"name":"age","offset":41.2,"spread":13.8},
//                       {"name":"colour","categories":["blue","red"]}],
//             "target":{"name":"price","offset":90.5,"spread":31}}}
//   {"images":{"rows":28,"columns":28,"classes":10}}

#include <autodiff/tensor/tensor.hpp>

#include <nn/data/csv.hpp>
#include <nn/data/data.hpp>
#include <nn/data/scaling.hpp>
#include <nn/files/named_file.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nn::tools {

/// Rows of a CSV file. Categories keep offset 0 and spread 1.
struct table_format {
  csv_encoding columns;           ///< with one target
  scaling<float> inputs, target;  ///< their base is 0
  bool tells_deviation = false;   ///< outputs are a mean and the logarithm of its variance
};

/// Images of an IDX file, 0 .. 255, and labels from 0 on.
struct image_format {
  std::size_t rows, columns, classes;
};

struct data_format {
  std::variant<table_format, image_format> file;

  std::size_t features() const;  ///< that the network takes
  std::size_t outputs() const;   ///< that the network has
  /// What the answers are called.
  std::string target() const;
  /// What the target may be; none where it is a number.
  std::vector<std::string> classes() const;
  const table_format* table() const { return std::get_if<table_format>(&file); }
};

/// The name under which the text stands in a file's metadata.
inline constexpr const char* data_text_name = "data";

/// Throws io_error through `file` for names of columns and categories that are not UTF-8.
std::string to_text(const data_format& format, const named_file& file);
/// Throws io_error through `file` for what to_text does not write.
data_format parse_data_format(std::string_view text, const named_file& file);

/// The samples of a file with their targets, scaled. Throws io_error as read_csv does. Of images,
/// `labels` is the other file.
dataset<float> read_samples(const std::filesystem::path& data, const std::filesystem::path& labels,
                            const data_format& format);
/// The inputs alone. The file need not have the target.
autodiff::tensor<float> read_inputs(const std::filesystem::path& data, const data_format& format);

}  // namespace nn::tools
