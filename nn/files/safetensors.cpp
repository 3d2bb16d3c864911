#include <nn/files/safetensors.hpp>

#include <autodiff/part_file.hpp>

#include <nn/files/number_type.hpp>
#include <nn/files/safetensors_header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace nn {
namespace {

constexpr std::size_t length_bytes = 8;
// The cap of the specification's own reader.
constexpr std::uint64_t most_header_bytes = 100'000'000;
constexpr std::size_t block_bytes = std::size_t{1} << 16;

std::array<std::byte, length_bytes> little_endian(std::uint64_t number) {
  std::array<std::byte, length_bytes> bytes;
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(number & 0xFF);
    number >>= 8;
  }
  return bytes;
}

std::uint64_t number_of(const std::array<std::byte, length_bytes>& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = length_bytes; i-- > 0;) {
    number = number << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return number;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

safetensors_file::safetensors_file(const std::filesystem::path& path, std::string_view operation)
    : file_({std::string(operation), path}) {
  const named_file& name = file_.name();
  if (file_.size() < length_bytes) {
    name.refuse_content(fmt::format("has {} bytes, too few for a safetensors file", file_.size()));
  }
  std::array<std::byte, length_bytes> length;
  file_.read(0, length);
  const std::uint64_t header_bytes = number_of(length), rest = file_.size() - length_bytes;
  if (header_bytes > std::min(rest, most_header_bytes)) {
    name.refuse_content(
        fmt::format("is no safetensors file: its first eight bytes claim a header of {} bytes, "
                    "where {} follow and {} are allowed",
                    header_bytes, rest, most_header_bytes));
  }
  std::string text(header_bytes, '\0');
  file_.read(length_bytes, std::as_writable_bytes(std::span(text)));
  if (!text.starts_with('{')) name.refuse_content("is no safetensors file: it has no header");
  safetensors_header header = parse_header(text, name);
  prove_layout(header.tensors, rest - header_bytes, name);
  first_number_ = length_bytes + header_bytes;
  metadata_ = std::move(header.metadata);
  tensors_ = std::move(header.tensors);
  for (std::size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
}

const stored_tensor* safetensors_file::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &tensors_[found->second];
}

template <class T>
autodiff::tensor<T> safetensors_file::read(const stored_tensor& stored) const {
  autodiff::tensor<T> values = autodiff::tensor<T>::undefined(stored.shape);
  std::span<T> rest = values.mutable_values();
  std::array<std::byte, block_bytes> block;
  std::uint64_t from = first_number_ + stored.begin;
  while (!rest.empty()) {
    const std::size_t count = std::min(rest.size(), block_bytes / stored.type->bytes);
    const std::span<std::byte> bytes(block.data(), count * stored.type->bytes);
    file_.read(from, bytes);
    convert(*stored.type, bytes.data(), rest.first(count));
    rest = rest.subspan(count);
    from += bytes.size();
  }
  return values;
}

template <class T>
autodiff::tensor<T> safetensors_file::read(std::string_view name) const {
  const stored_tensor* const stored = find(name);
  if (!stored) {
    file_.name().refuse(fmt::format("has no tensor {}", in_quotes(name)),
                        "tensors() lists what it has");
  }
  return read<T>(*stored);
}

namespace {

/// The header of what is to be written, and the tensors in its order.
std::vector<const named_tensor*> laid_out(std::span<const named_tensor> tensors,
                                          safetensors_header& header, const named_file& file) {
  // Doubles first: then every number stands at a multiple of its size.
  std::vector<const named_tensor*> order;
  for (const named_tensor& tensor : tensors) order.push_back(&tensor);
  std::stable_partition(order.begin(), order.end(), [](const named_tensor* tensor) {
    return std::holds_alternative<autodiff::tensor<double>>(tensor->values);
  });
  std::set<std::string_view> names{"__metadata__"};
  std::uint64_t taken = 0;
  for (const named_tensor* tensor : order) {
    if (!names.insert(tensor->name).second) {
      file.refuse(fmt::format("cannot be written with another tensor {}", in_quotes(tensor->name)),
                  "give each a name of its own, and none \"__metadata__\"");
    }
    std::visit(
        [&]<class T>(const autodiff::tensor<T>& values) {
          const std::uint64_t end = taken + values.size() * sizeof(T);
          header.tensors.push_back(
              {tensor->name, find_number_type(number_name<T>), values.shape(), taken, end});
          taken = end;
        },
        tensor->values);
  }
  return order;
}

template <class T>
void write_numbers(autodiff::part_file& out, std::span<const T> rest) {
  std::array<std::byte, block_bytes> block;
  while (!rest.empty()) {
    const std::size_t count = std::min(rest.size(), block_bytes / sizeof(T));
    store(rest.first(count), block.data());
    out.write(as_text(std::span(block).first(count * sizeof(T))));
    rest = rest.subspan(count);
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const named_tensor> tensors,
                       const metadata& texts, std::string_view operation) {
  const named_file file{std::string(operation), path};
  safetensors_header header{texts, {}};
  const std::vector<const named_tensor*> order = laid_out(tensors, header, file);
  std::string text = header_text(header, file);
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  if (text.size() > most_header_bytes) {
    file.refuse(fmt::format("would have a header of {} bytes, where readers allow {}", text.size(),
                            most_header_bytes),
                "write less metadata or fewer tensors");
  }
  autodiff::part_file out(operation, path);
  out.write(as_text(little_endian(text.size())));
  out.write(text);
  for (const named_tensor* tensor : order) {
    std::visit([&](const auto& values) { write_numbers(out, values.values()); }, tensor->values);
  }
  out.keep();
}

#define INSTANTIATE(T)                                                             \
  template autodiff::tensor<T> safetensors_file::read(const stored_tensor&) const; \
  template autodiff::tensor<T> safetensors_file::read(std::string_view) const;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
