#include <nn/training/csv_log.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <string_view>

namespace nn {
namespace {

std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

csv_log::csv_log(const std::filesystem::path& file, const history& past)
    : file_(file), out_(file, std::ios::trunc) {
  write("");
  for (const epoch_record& epoch : past) add(epoch);
}

void csv_log::add(const epoch_record& epoch) {
  std::string text;
  if (columns_.empty()) {
    columns_ = epoch.names();
    text += "epoch";
    for (const std::string& name : columns_) text += fmt::format(",{}", field(name));
    text += "\r\n";
  }
  text += std::to_string(++epochs_);
  for (const std::string& name : columns_) {
    const std::optional<double> value = epoch.find(name);
    text += value ? fmt::format(",{}", *value) : std::string(",");
  }
  write(text + "\r\n");
}

void csv_log::write(const std::string& line) {
  out_ << line << std::flush;
  if (out_) return;
  throw autodiff::io_error("train", fmt::format("\"{}\" cannot be written", file_.string()),
                           "check the folder of csv_log, its permissions and its space");
}

}  // namespace nn
