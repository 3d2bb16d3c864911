#include <tests/catch.hpp>
#include <tests/tensors.hpp>

#include <nn/network/model.hpp>
#include <nn/network/network.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace {

using tensor = autodiff::tensor<double>;

struct plain_model {
  tensor factor{2.0};
  tensor offset{1.0};

  tensor operator()(const tensor& x) const { return factor * x + offset; }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(factor);
    visit(offset);
  }
};

/// A struct of layers that tells training from inference and counts its passes.
struct two_layers {
  nn::any_layer<double> first, second;
  tensor passes{0.0};

  explicit two_layers(autodiff::generator& random)
      : first({3}, nn::dense(4, nn::tanh), random), second({4}, nn::dropout(0.5), random) {}

  tensor operator()(const tensor& x) const { return second(first(x)); }
  tensor operator()(const tensor& x, autodiff::generator& random) {
    passes.mutable_values()[0] += 1;
    return second(first(x, random), random);
  }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    first.parameters(visit);
    second.parameters(visit);
  }
  template <class Visitor>
  void state(Visitor&& visit) {
    first.state("first.", visit);
    second.state("second.", visit);
    visit("passes", passes);
  }
};

template <class Model>
std::vector<std::string> names(Model& model) {
  std::vector<std::string> all;
  nn::model_view<double>(model).state(
      [&](const std::string& name, const tensor&) { all.push_back(name); });
  return all;
}

}  // namespace

TEST_CASE("a model needs a call operator and parameters, and its state is then these") {
  plain_model m;
  const nn::model_view<double> view(m);
  autodiff::generator random(1);
  CHECK(view(tensor{3.0, 4.0}).value(1) == 9);
  CHECK(view(tensor{3.0, 4.0}, random).value(0) == 7);
  view.parameters([](tensor& p) { p.mutable_values()[0] += 1; });
  CHECK(m.factor.value(0) == 3);
  CHECK(m.offset.value(0) == 2);
  CHECK(names(m) == std::vector<std::string>{"parameters.0", "parameters.1"});
}

TEST_CASE("a struct of layers has its own pass of training and its own state") {
  autodiff::generator random(1);
  two_layers m(random);
  const nn::model_view<double> view(m);
  const tensor x = tensors::drawn<double>({50, 3}, 1);
  const tensor inferred = view(x), trained = view(x, random);
  CHECK(m.passes.value(0) == 1);
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    CHECK((trained.values()[i] == 0 || trained.values()[i] == 2 * inferred.values()[i]));
    dropped += trained.values()[i] == 0;
  }
  CHECK(dropped > 0);
  CHECK(dropped < trained.size());
  CHECK(names(m) == std::vector<std::string>{"first.weights", "first.bias", "passes"});
}

TEST_CASE("parameters() of a view may be asked for while it is being answered") {
  plain_model outer, inner;
  const nn::model_view<double> a(outer), b(inner);
  std::size_t calls = 0;
  a.parameters([&](tensor& p) {
    CHECK((&p == &outer.factor || &p == &outer.offset));
    b.parameters([&](tensor& q) {
      CHECK((&q == &inner.factor || &q == &inner.offset));
      ++calls;
    });
  });
  CHECK(calls == 4);
}
