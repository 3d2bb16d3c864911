#include <autodiff/notebook.hpp>

#include <algorithm>

namespace autodiff {

void notebook::add_statement(std::uint64_t place, tag_type first,
                             const spelled_statement<double>& s) {
  statements_.push_back({place, s.value, s.text, leaves_.size(), constants_.size()});
  for (std::size_t i = 0; i < s.leaves; ++i)
    leaves_.push_back(s.tags[i] == 0 ? passive : s.tags[i] - first);
  constants_.insert(constants_.end(), s.constants, s.constants + s.constant_count);
}

// Operations with a place for it were given a tensor without elements there.
void notebook::add_number(std::size_t slot, double number) {
  std::vector<noted_operand>& operands = operations_.back().operands;
  const auto at = operands.begin() + static_cast<std::ptrdiff_t>(slot);
  if (slot < operands.size() && at->is_constant() && !at->values)
    at->number = number;
  else
    operands.insert(at, {.number = number});
}

std::size_t notebook::open_group(std::string_view name, const position& at, bool is_layer) {
  std::string path(name);
  const auto around =
      std::ranges::find(groups_.rbegin(), groups_.rend(), true, &noted_group::is_open);
  if (around != groups_.rend()) path = around->name + "/" + path;
  groups_.push_back({std::move(path), at, at, true, is_layer});
  return groups_.size() - 1;
}

// A rewind while a group was open may have taken it away.
void notebook::close_group(std::size_t number, const position& at) noexcept {
  if (number >= groups_.size()) return;
  groups_[number].to = at;
  groups_[number].is_open = false;
}

void notebook::cut(const position& mark) {
  const auto first =
      std::ranges::lower_bound(statements_, mark.places, {}, &noted_statement::place);
  if (first != statements_.end()) {
    leaves_.resize(first->leaves);
    constants_.resize(first->constants);
    statements_.erase(first, statements_.end());
  }
  operations_.erase(
      std::ranges::lower_bound(operations_, mark.operations, {}, &noted_operation::operation),
      operations_.end());
  std::erase_if(groups_,
                [&](const noted_group& g) { return !g.is_open && g.from.codes >= mark.codes; });
  for (noted_group& g : groups_) {
    if (g.from.codes > mark.codes) g.from = mark;
    if (g.to.codes > mark.codes) g.to = mark;
  }
}

const noted_statement* notebook::statement_at(std::uint64_t place) const noexcept {
  const auto at = std::ranges::lower_bound(statements_, place, {}, &noted_statement::place);
  return at != statements_.end() && at->place == place ? &*at : nullptr;
}

const noted_operation* notebook::operation_at(std::size_t operation) const noexcept {
  const auto at = std::ranges::lower_bound(operations_, operation, {}, &noted_operation::operation);
  return at != operations_.end() && at->operation == operation ? &*at : nullptr;
}

}  // namespace autodiff
