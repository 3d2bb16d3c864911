#pragma once
// How to train: settings, all of which have a default.
//
//   nn::train(net, data, validation,
//             {.loss = nn::softmax_cross_entropy,
//              .optimizer = nn::adamw{.rate = 1e-3},
//              .schedule = nn::cosine_annealing{},
//              .epochs = 30,
//              .metrics = {nn::accuracy},
//              .early_stopping = nn::early_stopping{.patience = 5},
//              .checkpoint = nn::checkpointing{"digits.checkpoint"}});

#include <nn/data/data.hpp>
#include <nn/loss/loss.hpp>
#include <nn/loss/penalty.hpp>
#include <nn/network/init.hpp>
#include <nn/optimizer/moving_average.hpp>
#include <nn/optimizer/optimizer.hpp>
#include <nn/optimizer/schedule.hpp>
#include <nn/training/callback.hpp>
#include <nn/training/early_stopping.hpp>
#include <nn/training/history.hpp>
#include <nn/training/metrics.hpp>
#include <nn/training/progress.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

namespace nn {

/// Where a training is kept while it runs, and when. A program that was killed goes on from there
/// when it is run again, and ends with the same bits as one that never stopped. It has to be the
/// same training: of one with another model, other settings or other data, as far as their samples
/// and shapes tell, the checkpoint is refused with all that differs. Free are the number of epochs
/// (a schedule over the whole training then has its new length), the patience of early stopping,
/// callbacks, files, progress and threads.
struct checkpointing {
  std::filesystem::path file;
  std::size_t every_epochs = 1;  ///< also after the last one
  std::size_t every_steps = 0;   ///< within epochs, too; 0: only after them
  bool resume = true;            ///< from the file, where it is there
};

struct training {
  nn::loss loss = mean_squared_error;
  nn::optimizer optimizer = adam{};
  std::vector<parameter_group> groups = {};
  nn::schedule schedule = constant_rate{};  ///< a plateau is one of the validation loss, if there
                                            ///< is validation data, else of the loss
  std::size_t epochs = 10;
  std::size_t batch = 64;
  nn::drop_last drop_last = nn::drop_last::no;  ///< of an epoch's batches, where it is shorter
  nn::seed seed{0};  ///< of all that is random: the order of samples and what the model draws
  nn::penalty penalty = {};               ///< on the weights; the losses measured go without
  std::optional<double> clip_value = {};  ///< largest number in a gradient
  std::optional<double> clip_norm = {};   ///< largest norm of all gradients of what moves together
  /// With it the model that is measured, kept as best, and left in the end has the averages of its
  /// weights; the running statistics of a batch_norm stay those of the weights themselves, and
  /// running_statistics.hpp renews them.
  std::optional<nn::averaging> average = {};
  std::vector<metric> metrics = {};
  std::optional<nn::early_stopping> early_stopping = {};
  callback<epoch_end> on_epoch = {};
  callback<step_end> on_step = {};
  std::filesystem::path csv_log = {};  ///< of the history, a row after each epoch
  std::optional<checkpointing> checkpoint = {};
  nn::progress progress = nn::progress::automatic;
};

}  // namespace nn
