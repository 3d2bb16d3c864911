#pragma once
// Pictures of what came out of training: learning curves, confusion. SVG or PNG by the extension of
// the file; these throw what plot_curves() throws (nn/training/plot.hpp).

#include <nn/training/confusion.hpp>
#include <nn/training/history.hpp>

#include <filesystem>
#include <span>
#include <string>

namespace nn {

/// Losses by epoch, on a logarithmic axis where none is 0 or below, those of validation data beside
/// those of training, and the metrics on the right axis; without metrics the rate, where it
/// changed.
void plot_history(const std::filesystem::path& file, const history& past,
                  const std::string& title = "");

/// A field for each actual class (row) and predicted one (column) with its count, darker the larger
/// its share of the row. Names of the classes instead of their numbers, where there are any; throws
/// shape_error for another count of them.
void plot_confusion(const std::filesystem::path& file, const confusion_matrix& matrix,
                    std::span<const std::string> classes = {}, const std::string& title = "");

}  // namespace nn
