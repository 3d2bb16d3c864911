#include <tests/examples/pictured.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <cstdio>

void draw_picture(const std::filesystem::path& file,
                  const std::function<void(const std::filesystem::path&)>& draw) {
  try {
    draw(file);
    fmt::print("Picture: {}\n", std::filesystem::absolute(file).string());
  } catch (const autodiff::io_error& e) {
    fmt::print(stderr, "No picture: {}\n", e.what());
  }
}
