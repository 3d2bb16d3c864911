#include <autodiff/notebook.hpp>

#include <autodiff/notes.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace autodiff {

tape_notes& notebook::write() {
  if (!notes_) notes_ = new tape_notes;
  return *notes_;
}

const tape_notes& notebook::read() const {
  static const tape_notes none;
  return notes_ ? *notes_ : none;
}

void notebook::discard() noexcept { delete notes_; }

void notebook::add_input(std::uint64_t place, double value) {
  tape_notes& n = write();
  n.statements.push_back({place, value, nullptr, n.leaves.size(), n.constants.size()});
}

void notebook::add_statement(std::uint64_t place, tag_type first,
                             const spelled_statement<double>& s) {
  tape_notes& n = write();
  n.statements.push_back({place, s.value, s.text, n.leaves.size(), n.constants.size()});
  for (std::size_t i = 0; i < s.leaves; ++i)
    n.leaves.push_back(s.tags[i] == 0 ? tape_notes::passive : s.tags[i] - first);
  n.constants.insert(n.constants.end(), s.constants, s.constants + s.constant_count);
}

// Operations with a place for it were given a tensor without elements there.
void notebook::add_number(std::size_t slot, double number) {
  std::vector<noted_operand>& operands = write().operations.back().operands;
  const auto at = operands.begin() + static_cast<std::ptrdiff_t>(slot);
  if (slot < operands.size() && at->is_constant() && !at->values)
    at->number = number;
  else
    operands.insert(at, {.number = number});
}

void notebook::name_scalar(std::uint64_t place, std::string_view name) {
  write().names_of_scalars.insert_or_assign(place, std::string(name));
}

void notebook::name_tensor(std::size_t operation, std::string_view name) {
  write().names_of_tensors.insert_or_assign(operation, std::string(name));
}

std::size_t notebook::open_group(std::string_view name, const position& at, bool is_layer) {
  std::vector<noted_group>& groups = write().groups;
  std::string path(name);
  const auto around =
      std::ranges::find(groups.rbegin(), groups.rend(), true, &noted_group::is_open);
  if (around != groups.rend()) path = around->name + "/" + path;
  groups.push_back({std::move(path), at, at, true, is_layer});
  return groups.size() - 1;
}

// A rewind while a group was open may have taken away what was before it in the list.
void notebook::close_group(std::size_t number, const position& at) noexcept {
  std::vector<noted_group>& groups = write().groups;
  if (number >= groups.size()) return;
  groups[number].to = at;
  groups[number].is_open = false;
}

void notebook::cut_notes(position mark) {
  tape_notes& n = *notes_;
  const auto first =
      std::ranges::lower_bound(n.statements, mark.places, {}, &noted_statement::place);
  if (first != n.statements.end()) {
    n.leaves.resize(first->leaves);
    n.constants.resize(first->constants);
    n.statements.erase(first, n.statements.end());
  }
  n.operations.erase(
      std::ranges::lower_bound(n.operations, mark.operations, {}, &noted_operation::operation),
      n.operations.end());
  n.names_of_scalars.erase(n.names_of_scalars.lower_bound(mark.places), n.names_of_scalars.end());
  n.names_of_tensors.erase(n.names_of_tensors.lower_bound(mark.operations),
                           n.names_of_tensors.end());
  for (noted_group& g : n.groups) {
    if (g.from.codes > mark.codes) g.from = mark;
    if (g.to.codes > mark.codes) g.to = mark;
  }
  // Those that are open keep their numbers, by which they will be closed.
  while (!n.groups.empty() && !n.groups.back().is_open && n.groups.back().from.codes >= mark.codes)
    n.groups.pop_back();
}

const noted_statement* tape_notes::statement_at(std::uint64_t place) const noexcept {
  const auto at = std::ranges::lower_bound(statements, place, {}, &noted_statement::place);
  return at != statements.end() && at->place == place ? &*at : nullptr;
}

const noted_operation* tape_notes::operation_at(std::size_t operation) const noexcept {
  const auto at = std::ranges::lower_bound(operations, operation, {}, &noted_operation::operation);
  return at != operations.end() && at->operation == operation ? &*at : nullptr;
}

}  // namespace autodiff
