#include <nn/data/npz.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#ifdef BACKSWEEP_LIBZIP

#include <autodiff/part_file.hpp>

#include <nn/data/byte_source.hpp>
#include <nn/data/npy_format.hpp>

#include <zip.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace nn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".npy";

struct discarded {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using archive_handle = std::unique_ptr<zip_t, discarded>;
using entry_handle = std::unique_ptr<zip_file_t, discarded>;
using source_handle = std::unique_ptr<zip_source_t, discarded>;

[[noreturn]] void refuse(std::string_view operation, const fs::path& path,
                         std::string_view happened, std::string_view remedy) {
  throw autodiff::io_error(operation, fmt::format("\"{}\" {}", path.string(), happened), remedy);
}

archive_handle open(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    refuse("read_npz", path, "is a directory", "name the .npz file inside it");
  }
  int code = 0;
  archive_handle archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (code == ZIP_ER_NOENT) refuse("read_npz", path, "does not exist", "check the path");
  if (code == ZIP_ER_NOZIP) {
    refuse("read_npz", path, "is no zip archive", "give a file that numpy.savez wrote");
  }
  refuse("read_npz", path, fmt::format("cannot be opened (libzip: {})", why), fetch_again);
}

/// One entry as it is unpacked.
class entry_source : public byte_source {
 public:
  entry_source(const fs::path& path, std::string_view entry, zip_t* archive, zip_uint64_t index)
      : byte_source("read_npz", fmt::format("{}: {}", path.string(), shown(entry))),
        entry_(zip_fopen_index(archive, index, 0)) {
    if (!entry_) {
      byte_source::refuse(fmt::format("cannot be read (libzip: {})", zip_strerror(archive)),
                          "save the arrays again with numpy.savez");
    }
  }

  std::size_t read(std::span<std::uint8_t> to) override {
    std::size_t filled = 0;
    while (filled < to.size()) {
      const zip_int64_t got = zip_fread(entry_.get(), to.data() + filled, to.size() - filled);
      if (got < 0) {
        byte_source::refuse(fmt::format("is damaged (libzip: {})", zip_file_strerror(entry_.get())),
                            fetch_again);
      }
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

 private:
  entry_handle entry_;
};

/// Adds to an archive that is made in memory.
class archive_writer {
 public:
  explicit archive_writer(fs::path path) : path_(std::move(path)) {
    zip_error_t error;
    zip_error_init(&error);
    memory_.reset(zip_source_buffer_create(nullptr, 0, 0, &error));
    if (memory_) archive_.reset(zip_open_from_source(memory_.get(), ZIP_TRUNCATE, &error));
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (!archive_) fail(why);
    zip_source_keep(memory_.get());  // the archive owns a share and this the other
  }

  /// `content` has to stay where it is until finish().
  void add(const std::string& name, std::string_view content, npz_entries how) {
    source_handle source(zip_source_buffer(archive_.get(), content.data(), content.size(), 0));
    if (!source) fail(zip_strerror(archive_.get()));
    // A zero would end the name for libzip, and a longer one goes round to a short one.
    constexpr std::size_t most_name_bytes = (1U << 16) - 1;
    const bool is_name = name.size() <= most_name_bytes && name.find('\0') == name.npos;
    const zip_int64_t index =
        is_name ? zip_file_add(archive_.get(), name.c_str(), source.get(), ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      refuse("write_npz", path_, fmt::format("cannot have an entry \"{}\"", shown(name)),
             "names are UTF-8 text without a byte 0, of at most 65531 bytes");
    }
    static_cast<void>(source.release());  // the archive's now
    const auto at = static_cast<zip_uint64_t>(index);
    const zip_int32_t method = how == npz_entries::stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE;
    // The first day of the format, as NumPy writes: the same arrays give the same bytes.
    constexpr zip_uint16_t midnight = 0, first_day = 1U << 5U | 1U;
    if (zip_set_file_compression(archive_.get(), at, method, 0) != 0 ||
        zip_file_set_dostime(archive_.get(), at, midnight, first_day, 0) != 0) {
      fail(zip_strerror(archive_.get()));
    }
  }

  std::string finish() {
    if (zip_close(archive_.get()) != 0) fail(zip_strerror(archive_.get()));
    static_cast<void>(archive_.release());  // zip_close has freed it
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_source_stat(memory_.get(), &stat) != 0 || zip_source_open(memory_.get()) != 0) {
      fail("the archive in memory is lost");
    }
    std::string bytes(stat.size, '\0');
    const zip_int64_t got = zip_source_read(memory_.get(), bytes.data(), bytes.size());
    zip_source_close(memory_.get());
    if (got != static_cast<zip_int64_t>(bytes.size())) fail("the archive in memory is lost");
    return bytes;
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    refuse("write_npz", path_, fmt::format("cannot be made (libzip: {})", why), "free some memory");
  }

  fs::path path_;
  source_handle memory_;
  archive_handle archive_;
};

std::string archive_of(const fs::path& path, const named_arrays& arrays, npz_entries how) {
  // libzip makes no archive of no entries: that is the end of one alone.
  if (arrays.empty()) return "PK\5\6" + std::string(18, '\0');
  std::vector<std::string> contents;
  contents.reserve(arrays.size());
  archive_writer archive(path);
  for (const auto& [name, array] : arrays) {
    contents.push_back(npy_text("write_npz", array));
    archive.add(name + std::string(extension), contents.back(), how);
  }
  return archive.finish();
}

/// Throws io_error for entries that share bytes: each may unpack to a thousand times as many, but
/// not the same ones again and again.
void require_apart(const fs::path& path, zip_t* archive, zip_uint64_t entries) {
  std::error_code ignored;
  zip_uint64_t left = fs::file_size(path, ignored);
  for (zip_uint64_t i = 0; i < entries; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    const bool is_known = zip_stat_index(archive, i, 0, &stat) == 0;
    if (is_known && (stat.valid & ZIP_STAT_COMP_SIZE) != 0 && stat.comp_size > left) {
      refuse("read_npz", path, "has entries of more bytes than the file", fetch_again);
    }
    left -= is_known ? stat.comp_size : 0;
  }
}

}  // namespace

named_arrays read_npz(const fs::path& path) {
  const archive_handle archive = open(path);
  named_arrays arrays;
  const auto entries = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  require_apart(path, archive.get(), entries);
  for (zip_uint64_t i = 0; i < entries; ++i) {
    const char* found = zip_get_name(archive.get(), i, ZIP_FL_ENC_GUESS);
    const std::string_view entry = found ? found : "";
    if (!entry.ends_with(extension)) {
      refuse("read_npz", path, fmt::format("has an entry \"{}\", which is no .npy", shown(entry)),
             "save the arrays again with numpy.savez");
    }
    entry_source source(path, entry, archive.get(), i);
    const std::string name(entry.substr(0, entry.size() - extension.size()));
    if (!arrays.emplace(name, read_npy_array(source)).second) {
      refuse("read_npz", path, fmt::format("has two arrays named \"{}\"", shown(name)),
             "save the arrays again under different names");
    }
  }
  return arrays;
}

void write_npz(const fs::path& path, const named_arrays& arrays, npz_entries how) {
  autodiff::part_file file("write_npz", path);
  file.write(archive_of(path, arrays, how));
  file.keep();
}

}  // namespace nn

#else

namespace nn {
namespace {

[[noreturn]] void refuse(std::string_view operation, const std::filesystem::path& path) {
  throw autodiff::io_error(
      operation,
      fmt::format("\"{}\" is a zip archive, and this build has no libzip", path.string()),
      "install libzip (package libzip-dev) and build again");
}

}  // namespace

named_arrays read_npz(const std::filesystem::path& path) { refuse("read_npz", path); }
void write_npz(const std::filesystem::path& path, const named_arrays&, npz_entries) {
  refuse("write_npz", path);
}

}  // namespace nn

#endif
