#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/training/csv_log.hpp>
#include <nn/training/history.hpp>

#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace {

nn::history sample() {
  return {{.loss = 0.1,
           .validation_loss = 0.25,
           .metrics = {{"f1, \"macro\"", 0.5}},
           .rate = 1e-3,
           .seconds = 2},
          {.loss = 1.0 / 3,
           .validation_loss = std::numeric_limits<double>::infinity(),
           .metrics = {{"f1, \"macro\"", std::numeric_limits<double>::quiet_NaN()}},
           .rate = 1e-4,
           .seconds = 3}};
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr const char* expected =
    "epoch,loss,validation_loss,\"f1, \"\"macro\"\"\",rate,seconds\r\n"
    "1,0.1,0.25,0.5,0.001,2\r\n"
    "2,0.3333333333333333,inf,nan,0.0001,3\r\n";

}  // namespace

TEST_CASE("a record of an epoch answers by name") {
  const nn::epoch_record epoch = sample().front();
  CHECK(epoch.value("loss") == 0.1);
  CHECK(epoch.value("validation_loss") == 0.25);
  CHECK(epoch.value("f1, \"macro\"") == 0.5);
  CHECK(epoch.value("rate") == 1e-3);
  CHECK(epoch.value("seconds") == 2);
  CHECK(!epoch.find("accuracy"));
  CHECK(nn::values_of(sample(), "rate") == std::vector<double>{1e-3, 1e-4});
}

TEST_CASE("a name that was not measured is refused with those that were") {
  const std::string text = reference::message<autodiff::domain_error>([] {
    nn::epoch_record{.loss = 1, .metrics = {{"accuracy", 1}}}.value("validation_loss");
  });
  CHECK(text ==
        "history: nothing of the name \"validation_loss\" was measured; "
        "there are loss, accuracy, rate, seconds");
}

TEST_CASE("a log of epochs is CSV with all digits, a row as soon as it is added") {
  const temporary_folder folder;
  nn::csv_log log(folder / "log.csv", {});
  CHECK(content(folder / "log.csv").empty());
  for (const nn::epoch_record& epoch : sample()) log.add(epoch);
  CHECK(content(folder / "log.csv") == expected);
}

TEST_CASE("a log begins anew with the epochs before") {
  const temporary_folder folder;
  std::ofstream(folder / "log.csv") << "something old\n";
  const nn::history past = sample();
  nn::csv_log log(folder / "log.csv", {past.front()});
  log.add(past.back());
  CHECK(content(folder / "log.csv") == expected);
}

TEST_CASE("a log that cannot be written is an error with its name") {
  const temporary_folder folder;
  const std::string text =
      reference::message<autodiff::io_error>([&] { nn::csv_log(folder / "no" / "log.csv", {}); });
  CHECK(reference::says(text, "train: \"", "log.csv\" cannot be written", "csv_log"));
}
