#pragma once
// The history of a training as a table in a file, a row for each epoch as soon as it is over.

#include <nn/training/history.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace nn {

/// CSV after RFC 4180: the names of epoch_record first, then "epoch" from 1 on and its values, with
/// all their digits.
class csv_log {
 public:
  /// Begins the file anew with the epochs so far. Throws io_error when it cannot be written.
  csv_log(const std::filesystem::path& file, const history& past);

  /// Throws io_error when it cannot be written.
  void add(const epoch_record& epoch);

 private:
  void write(const std::string& line);

  std::filesystem::path file_;
  std::ofstream out_;
  std::vector<std::string> columns_;
  std::size_t epochs_ = 0;
};

}  // namespace nn
