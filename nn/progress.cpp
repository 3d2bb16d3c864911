#include <nn/progress.hpp>

#include <fmt/format.h>

#include <unistd.h>

namespace nn {
namespace {

constexpr std::size_t bar_width = 24;
constexpr auto redraw_after = std::chrono::milliseconds(100);

}  // namespace

progress_bar::progress_bar(progress wanted, std::size_t epochs, std::size_t batches_per_epoch,
                           std::FILE* out)
    : out_(out),
      shown_(wanted == progress::automatic && isatty(fileno(out)) != 0),
      epochs_(epochs),
      batches_(batches_per_epoch) {}

progress_bar::~progress_bar() {
  if (shown_) std::fputs("\r\x1b[K", out_);
}

void progress_bar::advance(std::size_t epoch, std::size_t batch, double loss, std::size_t samples) {
  if (!shown_) return;
  samples_ += samples;
  const auto now = clock::now();
  const bool last = epoch + 1 == epochs_ && batch + 1 == batches_;
  if (now < next_ && !last) return;
  next_ = now + redraw_after;
  draw(epoch, batch, loss, now);
}

void progress_bar::draw(std::size_t epoch, std::size_t batch, double loss, clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double done = (static_cast<double>(epoch) + static_cast<double>(batch + 1) / static_cast<double>(batches_)) /
                      static_cast<double>(epochs_);
  const auto filled = static_cast<std::size_t>(done * static_cast<double>(bar_width));
  const std::string line = fmt::format(
      "\r\x1b[Kepoch {}/{}  batch {}/{}  [{}{}]  loss {:.4f}  {:.0f} samples/s  {:.0f} s left", epoch + 1,
      epochs_, batch + 1, batches_, std::string(filled, '='), std::string(bar_width - filled, ' '), loss,
      static_cast<double>(samples_) / seconds, seconds / done - seconds);
  std::fputs(line.c_str(), out_);
  std::fflush(out_);
}

}  // namespace nn
