#include <nn/data/idx.hpp>

#include <nn/data/byte_source.hpp>
#include <nn/data/idx_format.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace nn {
namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> read_values(byte_source& file, const std::vector<std::size_t>& extents) {
  const std::string shape = fmt::format("[{}]", fmt::join(extents, ", "));
  const std::optional<std::size_t> expected = product(extents);
  if (!expected) {
    file.refuse(fmt::format("claims {} values, more than any memory holds", shape), fetch_again);
  }
  std::vector<std::uint8_t> values = read_promised(file, *expected, shape);
  require_end(file, *expected, shape);
  return values;
}

void check_rank(const byte_source& file, const std::vector<std::size_t>& extents,
                std::size_t wanted, std::string_view wanted_name) {
  const std::size_t rank = extents.size();
  if (rank == wanted) return;
  const std::string shape = fmt::format("[{}]", fmt::join(extents, ", "));
  if (rank == 1 || rank == 3) {
    file.refuse(fmt::format("holds {} (rank {}, {}), {} (rank {}) were asked for",
                            rank == 1 ? "labels" : "images", rank, shape, wanted_name, wanted),
                "did you swap the two paths?");
  }
  file.refuse(fmt::format("holds values of rank {}, {}, {} (rank {}) were asked for", rank, shape,
                          wanted_name, wanted),
              fmt::format("give the file with the {}", wanted_name));
}

/// With wanted == 0 any rank serves.
idx_array read(std::string_view operation, const fs::path& path, std::size_t wanted,
               std::string_view wanted_name) {
  input_file file(operation, path, "IDX file");
  idx_array result{read_idx_header(file), {}};
  if (wanted != 0) check_rank(file, result.extents, wanted, wanted_name);
  result.values = read_values(file, result.extents);
  return result;
}

}  // namespace

idx_array read_idx(const fs::path& path) { return read("read_idx", path, 0, {}); }

idx_array read_idx_images(const fs::path& path) {
  return read("read_idx_images", path, 3, "images");
}

idx_array read_idx_labels(const fs::path& path) {
  return read("read_idx_labels", path, 1, "labels");
}

}  // namespace nn
