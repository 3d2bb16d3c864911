#pragma once
// The tape explorer: what a tape recorded as one HTML page, on which the sweep can be stepped
// through record by record. The page needs no network and nothing beside it.
//
//   tape.watch(watching::explained);  // before anything is computed
//   ...
//   explore(tape, y, "page.html");

#include <autodiff/graph.hpp>

#include <chrono>
#include <filesystem>
#include <string>

namespace autodiff {

/// The most nodes that a page takes.
inline constexpr std::size_t most_explored_nodes = 100'000;

/// How long Graphviz may take for a page.
inline constexpr std::chrono::milliseconds layout_patience = std::chrono::minutes(3);

/// Writes the page of a graph, laid out by Graphviz: where that is not done when patience is over,
/// the page shows what is left in plain columns. Replaces the file if it exists. Graphs of more
/// than 2,000 nodes are shown in groups, by their notes and by steps of the sweep.
/// Throws io_error: Graphviz is not installed, or the file cannot be written, and then none is left
/// behind; domain_error: the graph is too large.
void explore(const graph& g, const std::filesystem::path& file,
             std::chrono::milliseconds patience = layout_patience);

/// The same of what y depends on, after a sweep from y; as the title of the page, a name for y may
/// be given. Throws tape_error and shape_error like backward() too.
template <class Tape, class Y>
void explore(Tape& t, const Y& y, const std::filesystem::path& file, std::string title = "y") {
  explore(graph_of(t, y, std::move(title)), file);
}

}  // namespace autodiff
