// Schedules against schedule_table.txt, which schedule_table.py makes step by step.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/optimizer/schedule.hpp>

#include <cmath>
#include <cstddef>
#include <fstream>
#include <limits>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr double base = 0.5;

const std::map<std::string, nn::schedule> cases{
    {"constant", nn::constant_rate{}},
    {"step", nn::step_decay{.every = 7, .factor = 0.3}},
    {"multi_step", nn::multi_step_decay{.at = {3, 11, 11, 30}, .factor = 0.4}},
    {"exponential", nn::exponential_decay{.factor = 0.9}},
    {"polynomial", nn::polynomial_decay{.length = 25}},
    {"polynomial_power", nn::polynomial_decay{.power = 2.5}},
    {"cosine", nn::cosine_annealing{}},
    {"cosine_short", nn::cosine_annealing{.lowest = 0.1, .length = 12}},
    {"restarts", nn::cosine_restarts{.length = 9, .lowest = 0.02}},
    {"restarts_growing", nn::cosine_restarts{.length = 5, .growth = 2}},
    {"one_cycle", nn::one_cycle{}},
    {"one_cycle_linear", nn::one_cycle{.rising = 0.25,
                                       .start_divisor = 10,
                                       .end_divisor = 100,
                                       .shape = nn::annealing::linear,
                                       .length = 30}},
    {"one_cycle_three", nn::one_cycle{.rising = 0.4, .three_phases = true}},
    {"one_cycle_three_linear", nn::one_cycle{.start_divisor = 5,
                                             .end_divisor = 50,
                                             .shape = nn::annealing::linear,
                                             .three_phases = true,
                                             .length = 37}},
    {"plateau", nn::reduce_on_plateau{.patience = 2}},
    {"plateau_absolute", nn::reduce_on_plateau{.factor = 0.5,
                                               .patience = 1,
                                               .threshold = 0.03,
                                               .margin = nn::margin::absolute,
                                               .cooldown = 3}},
    {"plateau_higher",
     nn::reduce_on_plateau{
         .aim = nn::aim::higher, .factor = 0.3, .patience = 4, .threshold = 0.01, .lowest = 0.05}},
    {"plateau_higher_absolute", nn::reduce_on_plateau{.aim = nn::aim::higher,
                                                      .factor = 0.7,
                                                      .patience = 3,
                                                      .margin = nn::margin::absolute,
                                                      .cooldown = 1,
                                                      .least_change = 0.06}},
    {"warm_up", nn::warm_up{.length = 5, .then = nn::cosine_annealing{}}},
    {"warm_up_constant", nn::warm_up{.length = 8, .from = 0.25}},
};

std::map<std::string, std::vector<double>> table() {
  std::ifstream in(std::string(BACKSWEEP_SOURCE_DIR) + "/tests/nn/schedule_table.txt");
  std::map<std::string, std::vector<double>> lines;
  for (std::string text; std::getline(in, text);) {
    std::istringstream words(text);
    std::string name;
    words >> name;
    for (double rate = 0; words >> rate;) lines[name].push_back(rate);
  }
  return lines;
}

/// The moment after so many steps of a training of 40 epochs.
nn::moment at(std::size_t step, std::size_t steps_per_epoch = 1) {
  return {step, step / steps_per_epoch, steps_per_epoch, 40};
}

std::string refusal(const nn::schedule& s, const nn::moment& now = at(3), double rate = base) {
  return reference::message<autodiff::domain_error>([&] { nn::rate_at(s, rate, now); });
}

}  // namespace

TEST_CASE("every schedule has the rates of PyTorch's scheduler") {
  const auto lines = table();
  const std::span<const double> monitored = lines.at("monitored");
  CHECK(lines.size() == cases.size() + 1);
  for (const auto& [name, s] : cases) {
    CAPTURE(name);
    const auto& rates = lines.at(name);
    REQUIRE(rates.size() == 40);
    for (std::size_t t = 0; t < 40; ++t) {
      CAPTURE(t);
      nn::moment now = at(t);
      now.monitored = monitored.first(t);
      CHECK(std::fabs(nn::rate_at(s, base, now) - rates[t]) <= 1e-14);
    }
  }
}

TEST_CASE("a schedule of epochs holds still within an epoch, one of steps does not") {
  const nn::schedule by_epoch = nn::exponential_decay{.factor = 0.5};
  const nn::schedule by_step = nn::exponential_decay{.factor = 0.5, .unit = nn::time_unit::step};
  for (std::size_t step = 0; step < 12; ++step) {
    CHECK(nn::rate_at(by_epoch, 1, at(step, 4)) == std::ldexp(1.0, -static_cast<int>(step / 4)));
    CHECK(nn::rate_at(by_step, 1, at(step, 4)) == std::ldexp(1.0, -static_cast<int>(step)));
  }
}

TEST_CASE("without a length of its own a schedule spans the training") {
  for (const nn::time_unit unit : {nn::time_unit::step, nn::time_unit::epoch}) {
    const nn::schedule s = nn::polynomial_decay{.unit = unit};
    CHECK(nn::rate_at(s, 1, at(80, 4)) == 0.5);
    CHECK(nn::rate_at(s, 1, at(160, 4)) == 0);
    CHECK(nn::rate_at(s, 1, at(1000, 4)) == 0);
  }
  CHECK(refusal(nn::cosine_annealing{}, nn::moment{.epochs = 0}) ==
        "cosine_annealing: neither it nor the training has a length; set its length, or "
        "steps_per_epoch and epochs of the moment");
  CHECK(refusal(nn::polynomial_decay{}, nn::moment{.steps_per_epoch = 0}) != "nothing was thrown");
  CHECK(refusal(nn::one_cycle{}, nn::moment{.epochs = 0}) != "nothing was thrown");
}

TEST_CASE("what follows a warm-up begins where it ends") {
  const nn::schedule in_epochs = nn::warm_up{
      .length = 2, .from = 0, .unit = nn::time_unit::epoch, .then = nn::polynomial_decay{}};
  CHECK(nn::rate_at(in_epochs, 1, at(0, 4)) == 0);
  CHECK(nn::rate_at(in_epochs, 1, at(7, 4)) == 0.5);
  CHECK(nn::rate_at(in_epochs, 1, at(8, 4)) == 1);
  CHECK(nn::rate_at(in_epochs, 1, at(8 + 38 * 2, 4)) == 0.5);

  const nn::schedule in_steps =
      nn::warm_up{.length = 6, .from = 0.5, .then = nn::step_decay{.every = 1, .factor = 0.5}};
  CHECK(nn::rate_at(in_steps, 1, at(3, 4)) == 0.75);
  CHECK(nn::rate_at(in_steps, 1, at(6, 4)) == 1);
  CHECK(nn::rate_at(in_steps, 1, at(9, 4)) == 1);
  CHECK(nn::rate_at(in_steps, 1, at(10, 4)) == 0.5);

  const std::vector<double> flat(4, 1.0);
  nn::moment now = at(20, 4);
  now.monitored = flat;
  CHECK(nn::rate_at(nn::warm_up{.length = 1, .then = nn::reduce_on_plateau{.patience = 2}}, 1,
                    now) == 0.1);
}

TEST_CASE("epochs behind a warm-up that ends within one count in part") {
  // 10 epochs of 4 steps, 6 of them warm-up: 34 are left, 9 epochs of which the last is half one.
  const nn::schedule s =
      nn::warm_up{.length = 6, .then = nn::polynomial_decay{.unit = nn::time_unit::epoch}};
  const auto rate = [&](std::size_t step) {
    return nn::rate_at(s, 1, {.step = step, .epoch = step / 4, .steps_per_epoch = 4, .epochs = 10});
  };
  CHECK(rate(6) == 1);
  CHECK(rate(39) == Approx(1.0 / 9).epsilon(1e-15));
  // Less than an epoch is left, or nothing at all.
  const nn::schedule longer =
      nn::warm_up{.length = 38, .then = nn::cosine_annealing{.unit = nn::time_unit::epoch}};
  CHECK(nn::rate_at(longer, 1, {.step = 39, .epoch = 9, .steps_per_epoch = 4, .epochs = 10}) == 1);
  const nn::schedule whole = nn::warm_up{.length = 40, .from = 0, .then = nn::cosine_annealing{}};
  CHECK(nn::rate_at(whole, 1, {.step = 20, .epoch = 5, .steps_per_epoch = 4, .epochs = 10}) == 0.5);
  CHECK(nn::rate_at(whole, 1, {.step = 40, .epoch = 10, .steps_per_epoch = 4, .epochs = 10}) == 1);
}

TEST_CASE("cycles that grow beyond all counts end like others") {
  constexpr std::size_t growth = std::size_t{1} << 63;
  const nn::cosine_restarts s{.length = 10, .growth = growth};
  CHECK(nn::rate_at(s, 1, at(5)) == Approx(0.5).epsilon(1e-15));
  CHECK(nn::rate_at(s, 1, at(10)) == 1);
  CHECK(nn::rate_at(s, 1, at(1000)) == Approx(1).epsilon(1e-12));
}

TEST_CASE("the shortest cycles end at their lowest rate") {
  for (const std::size_t length : {1, 2, 3, 4, 10}) {
    for (const bool three_phases : {false, true}) {
      CAPTURE(length, three_phases);
      const nn::schedule s = nn::one_cycle{.rising = 0.5,
                                           .start_divisor = 2,
                                           .end_divisor = 4,
                                           .three_phases = three_phases,
                                           .length = length};
      for (std::size_t t = 0; t < length + 2; ++t) {
        const double rate = nn::rate_at(s, 1, at(t));
        CHECK(rate >= 0.125);
        CHECK(rate <= 1);
        if (t + 1 >= length) CHECK(rate == 0.125);
      }
    }
  }
}

TEST_CASE("a value that is no number is no better, and a plateau is found behind it") {
  std::vector<double> monitored{1, std::numeric_limits<double>::quiet_NaN(), 2};
  nn::moment now = at(3);
  now.monitored = monitored;
  CHECK(nn::rate_at(nn::reduce_on_plateau{.patience = 1}, 1, now) == 0.1);
  monitored[2] = 0.5;
  CHECK(nn::rate_at(nn::reduce_on_plateau{.patience = 1}, 1, now) == 1);
}

TEST_CASE("settings of a schedule out of range are refused by name, value and range") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(refusal(nn::constant_rate{}, at(0), -1) ==
        "schedule: the rate is -1; it must be 0 or positive");
  CHECK(refusal(nn::step_decay{.every = 0}) == "step_decay: every is 0; it must be at least 1");
  CHECK(refusal(nn::step_decay{.factor = 0}) ==
        "step_decay: the factor is 0; it must be in (0, 1]");
  CHECK(refusal(nn::multi_step_decay{.at = {}, .factor = 2}) ==
        "multi_step_decay: the factor is 2; it must be in (0, 1]");
  CHECK(refusal(nn::exponential_decay{.factor = -0.5}) ==
        "exponential_decay: the factor is -0.5; it must be in (0, 1]");
  CHECK(refusal(nn::polynomial_decay{.power = -1}) ==
        "polynomial_decay: the power is -1; it must be 0 or positive");
  CHECK(refusal(nn::cosine_annealing{.lowest = -1}) ==
        "cosine_annealing: lowest is -1; it must be 0 or positive");
  CHECK(refusal(nn::cosine_restarts{.length = 0}) ==
        "cosine_restarts: the length is 0; it must be at least 1");
  CHECK(refusal(nn::cosine_restarts{.growth = 0}) ==
        "cosine_restarts: the growth is 0; it must be at least 1");
  CHECK(refusal(nn::cosine_restarts{.lowest = infinity}) ==
        "cosine_restarts: lowest is inf; it must be 0 or positive");
  CHECK(refusal(nn::one_cycle{.rising = 1}) == "one_cycle: rising is 1; it must be in (0, 1)");
  CHECK(refusal(nn::one_cycle{.rising = 0.75, .three_phases = true}) ==
        "one_cycle: rising is 0.75; in three phases it must be in (0, 0.5]");
  CHECK(refusal(nn::one_cycle{.start_divisor = 0}) ==
        "one_cycle: start_divisor is 0; it must be positive");
  CHECK(refusal(nn::one_cycle{.end_divisor = -1}) ==
        "one_cycle: end_divisor is -1; it must be positive");
  CHECK(refusal(nn::reduce_on_plateau{.factor = 1}) ==
        "reduce_on_plateau: the factor is 1; it must be in (0, 1)");
  CHECK(refusal(nn::reduce_on_plateau{.threshold = -1}) ==
        "reduce_on_plateau: the threshold is -1; it must be 0 or positive");
  CHECK(refusal(nn::reduce_on_plateau{.lowest = -1}) ==
        "reduce_on_plateau: lowest is -1; it must be 0 or positive");
  CHECK(refusal(nn::reduce_on_plateau{.least_change = -1}) ==
        "reduce_on_plateau: least_change is -1; it must be 0 or positive");
  CHECK(refusal(nn::warm_up{.from = 2}) == "warm_up: from is 2; it must be in [0, 1]");
  CHECK(refusal(nn::warm_up{.length = 0, .then = nn::step_decay{.every = 0}}) ==
        "step_decay: every is 0; it must be at least 1");
  // What follows is asked before it begins, which may be hours later.
  CHECK(refusal(nn::warm_up{.length = 10, .then = nn::step_decay{.every = 0}}, at(0)) ==
        "step_decay: every is 0; it must be at least 1");
}
