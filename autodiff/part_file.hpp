#pragma once
// A file that appears under its name when it is complete, or not at all, whenever the program or
// the machine stops.

#include <filesystem>
#include <string>
#include <string_view>

namespace autodiff {

/// The file while it is written: it lies beside its final name, and is removed unless it is kept.
/// Every member throws io_error in the name of the operation if the file cannot be written.
class part_file {
 public:
  /// Opened at once, so that a wrong folder is told before any work is done for it. Where the name
  /// is a link, the file behind it is meant; a folder, a device or a pipe is refused. Removes what
  /// writers of the same file left that were killed at work.
  part_file(std::string_view operation, const std::filesystem::path& file);
  part_file(const part_file&) = delete;
  part_file& operator=(const part_file&) = delete;
  ~part_file();

  void write(std::string_view text);

  /// Gives the file its name; replaces the one that had it. What was written is on the disk before,
  /// and the name is afterwards. Nothing can be written any more.
  void keep();

 private:
  std::filesystem::path folder() const;
  void remove_abandoned() const;
  bool begin();
  void synchronise_folder() const;
  [[noreturn]] void refuse(int code) const;

  std::string operation_;
  std::filesystem::path target_, part_;
  int descriptor_ = -1;
  bool kept_ = false;
};

}  // namespace autodiff
