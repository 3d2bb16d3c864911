#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/training/early_stopping.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

nn::best_value best_of(const std::vector<double>& values, const nn::early_stopping& how = {}) {
  return nn::best_of(values, how);
}

}  // namespace

TEST_CASE("the best value is the first of the smallest") {
  CHECK(best_of({3, 1, 2, 1}).at == 1);
  CHECK(best_of({3, 1, 2, 1}).since == 2);
  CHECK(best_of({3, 2, 1}).at == 2);
  CHECK(best_of({3, 2, 1}).since == 0);
  CHECK(best_of({1, 1, 1}).at == 0);
  CHECK(best_of({1, 1, 1}).since == 2);
}

TEST_CASE("higher values are better where that is the aim") {
  const nn::early_stopping higher{.aim = nn::aim::higher};
  CHECK(best_of({0.5, 0.9, 0.7}, higher).at == 1);
  CHECK(best_of({0.5, 0.9, 0.7}, higher).since == 1);
}

TEST_CASE("a value that is better by min_delta at most is not better") {
  const nn::early_stopping how{.min_delta = 0.5};
  // Against the best one, not against the one before.
  CHECK(best_of({4, 3.75, 3.5, 3.25}, how).at == 3);
  CHECK(best_of({4, 3.75, 3.5}, how).at == 0);
  CHECK(best_of({4, 3.75, 3.5}, how).since == 2);
}

TEST_CASE("a NaN is never the best value") {
  CHECK(best_of({not_a_number, 2, not_a_number, 1, not_a_number}).at == 3);
  CHECK(best_of({not_a_number, 2, not_a_number, 1, not_a_number}).since == 1);
  CHECK(best_of({not_a_number, not_a_number}).at == std::nullopt);
  CHECK(best_of({not_a_number, not_a_number}).since == 2);
  CHECK(best_of({}).at == std::nullopt);
  CHECK(best_of({}).since == 0);
}

TEST_CASE("an infinite loss is worse than any number and better than none") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(best_of({infinity, 5}).at == 1);
  CHECK(best_of({not_a_number, infinity}).at == 1);
}

TEST_CASE("settings of early stopping out of range are refused by name") {
  const auto refusal = [](const nn::early_stopping& how) {
    return reference::message<autodiff::domain_error>([&] { nn::best_of({}, how); });
  };
  CHECK(reference::says(refusal({.patience = 0}), "early_stopping: a patience of 0", "at least 1"));
  CHECK(reference::says(refusal({.min_delta = -1}), "min_delta is -1", "0 or positive"));
  CHECK(reference::says(refusal({.min_delta = not_a_number}), "min_delta is nan"));
}
