#include <autodiff/error.hpp>

namespace autodiff {
namespace {

std::string sentence(std::string_view operation, std::string_view happened,
                     std::string_view remedy) {
  std::string text;
  text.reserve(operation.size() + happened.size() + remedy.size() + 4);
  text.append(operation).append(": ").append(happened);
  if (!remedy.empty()) text.append("; ").append(remedy);
  return text;
}

}  // namespace

error::error(std::string_view operation, std::string_view happened, std::string_view remedy)
    : std::runtime_error(sentence(operation, happened, remedy)), operation_(operation) {}

}  // namespace autodiff
