#pragma once
// Names for stretches of a program, so that a graph of what it recorded can be read in groups:
//
//   const autodiff::note here(tape, "layer 1");

#include <autodiff/tape.hpp>

#include <cstddef>
#include <string_view>

namespace autodiff {

/// While it lives, what an explained tape records stands under this name, inside of the notes
/// around it: "net/layer 1". Notes nest; the tape outlives them. On any other tape it does nothing.
class [[nodiscard]] note {
 public:
  /// What is named: any stretch, or a layer of a network.
  enum class kind { group, layer };

  note(tape& t, std::string_view name, kind what = kind::group)
      : tape_(t.is_explained() ? &t : nullptr) {
    if (tape_) number_ = t.notes().open_group(name, t.end(), what == kind::layer);
  }
  ~note() {
    if (tape_) tape_->notes().close_group(number_, tape_->end());
  }
  note(const note&) = delete;
  note& operator=(const note&) = delete;

 private:
  tape* tape_;
  std::size_t number_ = 0;
};

}  // namespace autodiff
