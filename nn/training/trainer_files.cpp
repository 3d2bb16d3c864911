// How a training goes into a checkpoint and comes back.

#include <nn/files/named_file.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/settings_text.hpp>
#include <nn/training/trainer.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <variant>

namespace nn {
namespace {

/// A count that a checkpoint keeps. Throws io_error where it is none.
template <class T>
std::size_t count_of(const checkpoint<T>& from, const char* name, const named_file& file) {
  constexpr double most = 9007199254740992;  // 2^53: the doubles below have all whole numbers
  const double count = from.numbers.at(name).at(0);
  if (count >= 0 && count <= most && count == std::trunc(count))
    return static_cast<std::size_t>(count);
  file.refuse_content(fmt::format("has {} for the count \"{}\"", count, name));
}

struct samples_of {
  std::size_t operator()(std::monostate) const { return 0; }
  template <class Data>
  std::size_t operator()(const Data* data) const {
    if constexpr (requires { data->samples(); })
      return data->samples();
    else
      return data->size();
  }
};

}  // namespace

/// visit(name, tensor) for every tensor that a checkpoint keeps.
template <class T>
template <class Visitor>
void trainer<T>::tensors(Visitor&& visit) {
  std::size_t i = 0;
  model_.state([&](const std::string& name, tensor& t) {
    visit("model." + name, t);
    if (!best_.empty()) visit("best." + name, best_[i++]);
  });
  optimizer_.prepare(model_);
  optimizer_.state(
      [&](std::string_view name, tensor& t) { visit("optimizer." + std::string(name), t); });
  if (average_) {
    average_->state([&](std::string_view name, tensor& t) { visit(std::string(name), t); });
  }
}

/// All that the weights depend on, besides what the checkpoint has in numbers and tensors.
template <class T>
std::map<std::string, std::string> trainer<T>::settings() const {
  auto all = settings_of(how_);
  all.merge(source_.settings());
  all["model"] = model_.description();
  all["batches of an epoch"] = std::to_string(source_.batches());
  all["samples of an epoch"] = std::to_string(source_.samples());
  all["samples of validation"] = std::to_string(std::visit(samples_of{}, validation_));
  all["measures"] = fmt::format("{}", fmt::join(blank_record().names(), ", "));
  const auto groups = optimizer_.groups();
  for (std::size_t g = 0; g < how_.groups.size(); ++g) {
    std::string& members = all[fmt::format("groups.{}.parameters", g)];
    for (std::size_t i = 0; i < groups.size(); ++i)
      if (groups[i] == g) members += fmt::format("{}{}", members.empty() ? "" : ", ", i);
  }
  return all;
}

template <class T>
checkpoint<T> trainer<T>::snapshot() {
  checkpoint<T> now;
  now.epoch = epoch_;
  now.batch = batch_;
  now.numbers = {{"sums", sums_},
                 {"samples", {samples_}},
                 {"seconds", {seconds_}},
                 {"step", {static_cast<double>(step_)}},
                 {"optimizer_steps", {static_cast<double>(optimizer_.steps())}}};
  if (average_) now.numbers["average_steps"] = {static_cast<double>(average_->steps())};
  now.past = past_;
  tensors([&](const std::string& name, const tensor& t) {
    if (now.tensors.contains(name)) {
      throw autodiff::domain_error("train",
                                   fmt::format("two tensors of the model have the name {}", name),
                                   "let its state() give each a name of its own");
    }
    now.keep(name, t);
  });
  now.settings = settings();  // by now the optimizer knows who is in which group
  return now;
}

template <class T>
void trainer<T>::write() {
  write_checkpoint(how_.checkpoint->file, snapshot());
}

template <class T>
void trainer<T>::resume() {
  if (!how_.checkpoint) return;
  std::error_code ignored;
  if (!how_.checkpoint->resume || !std::filesystem::exists(how_.checkpoint->file, ignored)) {
    write();  // tells now, not after the first epoch, when it cannot be written
    return;
  }
  restore(read_checkpoint<T>(how_.checkpoint->file));
}

template <class T>
void trainer<T>::restore(const checkpoint<T>& from) {
  const named_file file{"train", how_.checkpoint->file};
  require_same_training(file.path, from, snapshot());
  // The checksum is right: somebody else than write() made the file.
  if (from.past.size() != from.epoch || from.batch >= source_.batches()) {
    file.refuse_content(fmt::format("is before batch {} of epoch {} with a history of {} epochs",
                                    from.batch, from.epoch, from.past.size()));
  }
  if (!from.past.empty() && from.past.front().names() != blank_record().names())
    file.refuse_content("has a history of other measures than it says");
  const std::size_t step = count_of(from, "step", file),
                    optimizer_steps = count_of(from, "optimizer_steps", file),
                    average_steps = average_ ? count_of(from, "average_steps", file) : 0;
  tensors([&](const std::string& name, tensor& t) { t = from.tensors.at(name); });
  epoch_ = from.epoch;
  batch_ = from.batch;
  step_ = step;
  optimizer_.steps(optimizer_steps);
  if (average_) average_->steps(average_steps);
  sums_ = from.numbers.at("sums");
  samples_ = from.numbers.at("samples").at(0);
  seconds_ = from.numbers.at("seconds").at(0);
  past_ = from.past;
  past_.reserve(std::min(how_.epochs, most_epochs_reserved));
  for (const epoch_record& epoch : past_) {
    plateau_.push_back(epoch.validation_loss.value_or(epoch.loss));
    if (how_.early_stopping) watched_.push_back(epoch.value(how_.early_stopping->monitor));
  }
}

#define INSTANTIATE(T)                \
  template void trainer<T>::resume(); \
  template void trainer<T>::write();
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
