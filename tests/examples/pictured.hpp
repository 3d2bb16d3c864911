#pragma once
// Pictures at the end of an example.

#include <filesystem>
#include <functional>

/// Draws, and says where the picture is, or why there is none: the numbers are worth having
/// without.
void draw_picture(const std::filesystem::path& file,
                  const std::function<void(const std::filesystem::path&)>& draw);
