#include <nn/files/safetensors_header.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/shape.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

#if BACKSWEEP_JSON
#include <nlohmann/json.hpp>
#endif

namespace nn {

#if BACKSWEEP_JSON
namespace {

using nlohmann::json;

/// Receives the events of the parser; each is right at one place of a header.
class header_events {
 public:
  explicit header_events(const named_file& file) : file_(file) {}

  safetensors_header take() { return std::move(header_); }

  bool null() { refuse_value(); }
  bool boolean(bool) { refuse_value(); }
  bool number_integer(json::number_integer_t) { refuse_value(); }
  bool number_float(json::number_float_t, const json::string_t&) { refuse_value(); }
  bool binary(json::binary_t&) { refuse_value(); }

  bool number_unsigned(json::number_unsigned_t number) {
    if (place_ == place::extents) {
      if (extents_.size() == autodiff::most_dimensions) {
        refuse_tensor(fmt::format("has more than {} dimensions", autodiff::most_dimensions));
      }
      extents_.push_back(number);
    } else if (place_ == place::offsets && offsets_.size() < 2) {
      offsets_.push_back(number);
    } else {
      refuse_value();
    }
    return true;
  }

  bool string(json::string_t& text) {
    if (place_ == place::text) {
      if (!header_.metadata.try_emplace(key_, std::move(text)).second) {
        file_.refuse_content(fmt::format("has two texts {} in its metadata", in_quotes(key_)));
      }
      place_ = place::texts;
    } else if (place_ == place::type) {
      set_type(text);
      place_ = place::tensor;
    } else {
      refuse_value();
    }
    return true;
  }

  bool start_object(std::size_t) {
    switch (place_) {
      case place::start: place_ = place::names; break;
      case place::before_texts: place_ = place::texts; break;
      case place::before_tensor: place_ = place::tensor; break;
      default: refuse_value();
    }
    return true;
  }
  bool end_object() {
    if (place_ == place::tensor) finish_tensor();
    place_ = place_ == place::names ? place::end : place::names;
    return true;
  }
  bool start_array(std::size_t) {
    switch (place_) {
      case place::before_extents: place_ = place::extents; break;
      case place::before_offsets: place_ = place::offsets; break;
      default: refuse_value();
    }
    return true;
  }
  bool end_array() {
    place_ = place::tensor;
    return true;
  }

  bool key(json::string_t& name) {
    key_ = std::move(name);
    switch (place_) {
      case place::names: begin_entry(); break;
      case place::texts: place_ = place::text; break;
      default: begin_property();
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) {
    refuse_json(position);
  }
  [[noreturn]] void refuse_json(std::size_t position) const {
    file_.refuse_content(fmt::format("has a header that is no JSON from its byte {} on", position));
  }

 private:
  /// Where the next event stands. Of `end` there is none but a parse error.
  enum class place {
    start,
    names,
    before_texts,
    texts,
    text,
    before_tensor,
    tensor,
    type,
    before_extents,
    extents,
    before_offsets,
    offsets,
    end
  };

  void begin_entry() {
    if (!names_.insert(key_).second) {
      file_.refuse_content(fmt::format("names {} twice", in_quotes(key_)));
    }
    if (key_ == "__metadata__") {
      place_ = place::before_texts;
      return;
    }
    header_.tensors.emplace_back().name = key_;
    has_extents_ = has_offsets_ = false;
    place_ = place::before_tensor;
  }

  void begin_property() {
    const auto once = [&](bool there) {
      if (there) refuse_tensor(fmt::format("has {} twice", in_quotes(key_)));
    };
    if (key_ == "dtype") {
      once(tensor().type != nullptr);
      place_ = place::type;
    } else if (key_ == "shape") {
      once(std::exchange(has_extents_, true));
      extents_.clear();
      place_ = place::before_extents;
    } else if (key_ == "data_offsets") {
      once(std::exchange(has_offsets_, true));
      offsets_.clear();
      place_ = place::before_offsets;
    } else {
      refuse_tensor(fmt::format("has the unknown property {}", in_quotes(key_)));
    }
  }

  void set_type(std::string_view name) {
    tensor().type = find_number_type(name);
    if (tensor().type) return;
    std::string known;
    for (const number_type& type : number_types()) known += fmt::format(" {}", type.name);
    file_.refuse(
        fmt::format("has numbers of type {} in {}", in_quotes(name), in_quotes(tensor().name)),
        "write it with one of" + known);
  }

  void finish_tensor() {
    if (!tensor().type || !has_extents_ || offsets_.size() != 2 || !has_offsets_) {
      refuse_tensor("lacks its \"dtype\", its \"shape\" or the two numbers of \"data_offsets\"");
    }
    try {
      tensor().shape = autodiff::shape(std::span<const std::size_t>(extents_));
    } catch (const autodiff::shape_error&) {
      refuse_tensor(fmt::format("has the shape [{}], more numbers than any memory holds",
                                fmt::join(extents_, ", ")));
    }
    tensor().begin = offsets_[0];
    tensor().end = offsets_[1];
  }

  stored_tensor& tensor() { return header_.tensors.back(); }

  [[noreturn]] void refuse_tensor(std::string_view happened) {
    file_.refuse_content(
        fmt::format("has a tensor {} that {}", in_quotes(tensor().name), happened));
  }

  /// A value of a kind that does not belong here.
  [[noreturn]] void refuse_value() {
    switch (place_) {
      case place::start: file_.refuse_content("has a header that is no JSON object");
      case place::before_texts: file_.refuse_content("has a \"__metadata__\" that is no object");
      case place::text:
        file_.refuse_content(fmt::format("has metadata {} that is no text", in_quotes(key_)));
      case place::before_tensor: refuse_tensor("is no object");
      case place::type: refuse_tensor("has a \"dtype\" that is no text");
      case place::before_extents:
      case place::extents:
        refuse_tensor("has a \"shape\" that is no list of numbers from 0 to 2^64 - 1");
      default: refuse_tensor("has \"data_offsets\" that are not two numbers from 0 to 2^64 - 1");
    }
  }

  const named_file& file_;
  safetensors_header header_;
  place place_ = place::start;
  std::string key_;
  std::unordered_set<std::string> names_;
  std::vector<std::size_t> extents_;
  std::vector<std::uint64_t> offsets_;
  bool has_extents_ = false, has_offsets_ = false;
};

}  // namespace

safetensors_header parse_header(std::string_view text, const named_file& file) {
  header_events events(file);
  // The parser takes a zero for the end of the text.
  const std::size_t zero = text.find('\0');
  if (zero != text.npos) events.refuse_json(zero + 1);
  json::sax_parse(text, &events);
  return events.take();
}

std::string header_text(const safetensors_header& header, const named_file& file) {
  const auto text = [&](const std::string& raw) {
    try {
      return json(raw).dump();
    } catch (const json::type_error&) {
      file.refuse(fmt::format("cannot be written with the text {}", in_quotes(raw)),
                  "names and metadata are UTF-8");
    }
  };
  std::vector<std::string> entries;
  if (!header.metadata.empty()) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : header.metadata) {
      texts.push_back(text(name) + ':' + text(value));
    }
    entries.push_back(fmt::format("\"__metadata__\":{{{}}}", fmt::join(texts, ",")));
  }
  for (const stored_tensor& tensor : header.tensors) {
    entries.push_back(fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                                  text(tensor.name), tensor.type->name,
                                  fmt::join(tensor.shape, ","), tensor.begin, tensor.end));
  }
  return fmt::format("{{{}}}", fmt::join(entries, ","));
}

#else

namespace {

[[noreturn]] void refuse_without_json(const named_file& file) {
  file.refuse("is a safetensors file, and this library was built without JSON",
              "install nlohmann-json (package nlohmann-json3-dev), then configure and build again");
}

}  // namespace

safetensors_header parse_header(std::string_view, const named_file& file) {
  refuse_without_json(file);
}
std::string header_text(const safetensors_header&, const named_file& file) {
  refuse_without_json(file);
}

#endif

void prove_layout(std::vector<stored_tensor>& tensors, std::uint64_t bytes,
                  const named_file& file) {
  std::sort(tensors.begin(), tensors.end(), [](const stored_tensor& a, const stored_tensor& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::uint64_t taken = 0;
  for (const stored_tensor& tensor : tensors) {
    const std::string place =
        fmt::format("{} at bytes {} to {}", in_quotes(tensor.name), tensor.begin, tensor.end);
    if (tensor.end < tensor.begin || tensor.end > bytes) {
      file.refuse_content(
          fmt::format("has {} of {} bytes of numbers, where no bytes are", place, bytes));
    }
    // A shape counts no more numbers than memory has bytes for in any of the types.
    const std::uint64_t expected = std::uint64_t{tensor.shape.size()} * tensor.type->bytes;
    if (tensor.end - tensor.begin != expected) {
      file.refuse_content(fmt::format("has {}, where {} {} takes {} bytes", place,
                                      tensor.type->name, to_string(tensor.shape), expected));
    }
    if (tensor.begin < taken) {
      file.refuse_content(
          fmt::format("has {}, over the end of the tensor before it, byte {}", place, taken));
    }
    if (tensor.begin > taken) {
      file.refuse_content(
          fmt::format("has {}, {} bytes after the tensor before it", place, tensor.begin - taken));
    }
    taken = tensor.end;
  }
  if (taken != bytes) {
    file.refuse_content(fmt::format("has {} bytes after its last tensor", bytes - taken));
  }
}

}  // namespace nn
