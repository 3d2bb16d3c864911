#include <nn/training/progress.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace nn {
namespace {

constexpr std::size_t bar_width = 24;
constexpr auto redraw_after = std::chrono::milliseconds(100);

std::size_t terminal_width(std::FILE* out) {
  winsize size{};
  const bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

progress_bar::progress_bar(progress wanted, std::size_t epochs, std::size_t batches_per_epoch,
                           std::FILE* out)
    : out_(out),
      shown_(wanted == progress::automatic && isatty(fileno(out)) != 0),
      epochs_(epochs),
      batches_(batches_per_epoch) {}

progress_bar::~progress_bar() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", out_);
  std::fflush(out_);
}

void progress_bar::advance(std::size_t epoch, std::size_t batch, double loss, std::size_t samples) {
  if (!shown_) return;
  samples_ += samples;
  if (!done_before_) done_before_ = part_done(epoch, batch);
  const auto now = clock::now();
  const bool last = epoch + 1 == epochs_ && batch + 1 == batches_;
  if (now < next_ && !last) return;
  next_ = now + redraw_after;
  draw(epoch, batch, loss, now);
}

/// Of all batches of all epochs, before this batch.
double progress_bar::part_done(std::size_t epoch, std::size_t batch) const {
  return (static_cast<double>(epoch) + static_cast<double>(batch) / static_cast<double>(batches_)) /
         static_cast<double>(epochs_);
}

void progress_bar::draw(std::size_t epoch, std::size_t batch, double loss, clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double done = part_done(epoch, batch + 1);
  const std::string place =
      fmt::format("epoch {}/{}  batch {}/{}", epoch + 1, epochs_, batch + 1, batches_);
  const std::string state = fmt::format("loss {:#.4g}  {:.0f} samples/s  {:.0f} s left", loss,
                                        static_cast<double>(samples_) / seconds,
                                        seconds * (1 - done) / (done - *done_before_));
  // A line that wraps cannot be redrawn in place: the bar gets the room that the words leave, and
  // the last column stays free, because some terminals wrap as soon as it is written.
  const std::size_t width = terminal_width(out_) - 1;
  const std::size_t taken = place.size() + std::string_view("  []  ").size() + state.size();
  const std::size_t bar = width > taken ? std::min(bar_width, width - taken) : 0;
  const auto filled = static_cast<std::size_t>(done * static_cast<double>(bar));
  std::string line = place + "  ";
  if (bar > 0) line += fmt::format("[{:=<{}}{:<{}}]  ", "", filled, "", bar - filled);
  line += state;
  line = "\r\x1b[K" + line.substr(0, width);
  std::fputs(line.c_str(), out_);
  std::fflush(out_);
  drawn_ = true;
}

}  // namespace nn
