#pragma once

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <numbers>
#include <span>
#include <stdexcept>
#include <vector>

#include <bench/problems/adbench.hpp>
#include <bench/problems/lse.hpp>

namespace bench::problems {

/// Log likelihood of a mixture of k Gaussians in d dimensions with a Wishart prior,
///   sum_i log sum_k exp(alpha_k + sum log diag Q_k - |Q_k (x_i - mu_k)|^2 / 2) - n lse(alpha) +
///   prior,
/// Q_k lower triangular with exp(q) on its diagonal.
/// x = [alphas (k), means (k x d), inverse covariance factors (k x d(d+1)/2: q, then columns
/// below)]. Source: the AD benchmark suite (see adbench.hpp), section 3.1.
class gmm {
 public:
  explicit gmm(const std::filesystem::path& file) {
    const std::vector<double> numbers = read_numbers(file);
    if (numbers.size() < 3) throw std::runtime_error(file.string() + " is no mixture");
    d_ = static_cast<std::size_t>(numbers[0]);
    k_ = static_cast<std::size_t>(numbers[1]);
    n_ = static_cast<std::size_t>(numbers[2]);
    const std::size_t inputs = k_ * (1 + d_ + factor_size());
    if (numbers.size() != 3 + inputs + n_ * d_ + 2) {
      throw std::runtime_error(file.string() + " has another size than its first line says");
    }
    const auto at = numbers.begin() + 3;
    start_.assign(at, at + static_cast<std::ptrdiff_t>(inputs));
    points_.assign(at + static_cast<std::ptrdiff_t>(inputs), numbers.end() - 2);
    gamma_ = numbers[numbers.size() - 2];
    m_ = numbers.back();
  }

  std::vector<double> start() const { return start_; }

  template <class T>
  T operator()(std::span<const T> x) const {
    using std::exp;
    const auto alphas = x.first(k_), means = x.subspan(k_, k_ * d_);
    std::vector<T> diagonals(k_ * d_), log_determinants(k_), centered(d_), turned(d_), terms(k_);
    for (std::size_t k = 0; k < k_; ++k) {
      const auto factor = factor_of(x, k);
      log_determinants[k] = 0.0;
      for (std::size_t i = 0; i < d_; ++i) {
        log_determinants[k] += factor[i];
        diagonals[k * d_ + i] = exp(factor[i]);
      }
    }
    T sum = 0.0;
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t k = 0; k < k_; ++k) {
        for (std::size_t j = 0; j < d_; ++j) centered[j] = points_[i * d_ + j] - means[k * d_ + j];
        turn(factor_of(x, k), diagonals.data() + k * d_, centered, std::span<T>(turned));
        terms[k] = alphas[k] + log_determinants[k] - 0.5 * square_norm(std::span<const T>(turned));
      }
      sum += log_sum_exp(std::span<const T>(terms));
    }
    const auto n = static_cast<double>(n_), d = static_cast<double>(d_);
    T result = sum - n * log_sum_exp(alphas);
    result += log_wishart_prior(x, diagonals, log_determinants);
    return result - 0.5 * n * d * std::log(2.0 * std::numbers::pi);
  }

  /// Each point pulls at each component by its share p_k, the softmax of the terms.
  double hand(std::span<const double> x, std::span<double> gradient) const {
    const auto alphas = x.first(k_), means = x.subspan(k_, k_ * d_);
    const auto dalphas = gradient.first(k_), dmeans = gradient.subspan(k_, k_ * d_);
    static thread_local std::vector<double> diagonals, log_determinants, centered, turned, terms,
        ddiagonals, dlog_determinants;
    diagonals.resize(k_ * d_);
    log_determinants.assign(k_, 0.0);
    centered.resize(d_);
    turned.resize(k_ * d_);
    terms.resize(k_);
    for (double& g : gradient) g = 0;
    for (std::size_t k = 0; k < k_; ++k) {
      for (std::size_t i = 0; i < d_; ++i) {
        log_determinants[k] += factor_of(x, k)[i];
        diagonals[k * d_ + i] = std::exp(factor_of(x, k)[i]);
      }
    }
    double result = log_wishart_prior(x, diagonals, log_determinants);
    ddiagonals.resize(k_ * d_);
    for (std::size_t i = 0; i < k_ * d_; ++i) ddiagonals[i] = gamma_ * gamma_ * diagonals[i];
    dlog_determinants.assign(k_, -m_);
    for (std::size_t i = 0; i < n_; ++i) {
      const double* point = points_.data() + i * d_;
      for (std::size_t k = 0; k < k_; ++k) {
        for (std::size_t j = 0; j < d_; ++j) centered[j] = point[j] - means[k * d_ + j];
        const std::span<double> row(turned.data() + k * d_, d_);
        turn(factor_of(x, k), diagonals.data() + k * d_, centered, row);
        terms[k] =
            alphas[k] + log_determinants[k] - 0.5 * square_norm(std::span<const double>(row));
      }
      const double sum = log_sum_exp(std::span<const double>(terms));
      result += sum;
      for (std::size_t k = 0; k < k_; ++k) {
        const double share = std::exp(terms[k] - sum);
        dalphas[k] += share;
        dlog_determinants[k] += share;
        const double* factor = factor_of(x, k).data();
        double* dfactor = gradient.data() + k_ * (1 + d_) + k * factor_size();
        std::size_t at = d_;
        for (std::size_t j = 0; j < d_; ++j) {
          const double c = point[j] - means[k * d_ + j], t = share * turned[k * d_ + j];
          double dcentered = diagonals[k * d_ + j] * t;
          ddiagonals[k * d_ + j] -= t * c;
          for (std::size_t r = j + 1; r < d_; ++r, ++at) {
            const double below = share * turned[k * d_ + r];
            dcentered += factor[at] * below;
            dfactor[at] -= below * c;
          }
          dmeans[k * d_ + j] += dcentered;
        }
      }
    }
    const auto n = static_cast<double>(n_), d = static_cast<double>(d_);
    const double alpha_sum = log_sum_exp(alphas);
    for (std::size_t k = 0; k < k_; ++k) {
      dalphas[k] -= n * std::exp(alphas[k] - alpha_sum);
      double* dfactor = gradient.data() + k_ * (1 + d_) + k * factor_size();
      for (std::size_t i = 0; i < factor_size(); ++i) {
        dfactor[i] += i < d_ ? dlog_determinants[k] + ddiagonals[k * d_ + i] * diagonals[k * d_ + i]
                             : gamma_ * gamma_ * factor_of(x, k)[i];
      }
    }
    return result - n * alpha_sum - 0.5 * n * d * std::log(2.0 * std::numbers::pi);
  }

 private:
  std::size_t factor_size() const { return d_ * (d_ + 1) / 2; }
  template <class T>
  std::span<const T> factor_of(std::span<const T> x, std::size_t k) const {
    return x.subspan(k_ * (1 + d_) + k * factor_size(), factor_size());
  }

  // turned = Q centered.
  template <class T>
  void turn(std::span<const T> factor, const T* diagonal, const std::vector<T>& centered,
            std::span<T> turned) const {
    for (std::size_t j = 0; j < d_; ++j) turned[j] = diagonal[j] * centered[j];
    std::size_t at = d_;
    for (std::size_t j = 0; j < d_; ++j) {
      for (std::size_t i = j + 1; i < d_; ++i) turned[i] += factor[at++] * centered[j];
    }
  }

  template <class T>
  static T square_norm(std::span<const T> x) {
    T sum = x[0] * x[0];
    for (std::size_t i = 1; i < x.size(); ++i) sum += x[i] * x[i];
    return sum;
  }

  template <class T>
  T log_wishart_prior(std::span<const T> x, const std::vector<T>& diagonals,
                      const std::vector<T>& log_determinants) const {
    const auto d = static_cast<double>(d_);
    const double n = d + m_ + 1;
    double log_gamma = 0.25 * d * (d - 1) * std::log(std::numbers::pi);
    for (std::size_t j = 0; j < d_; ++j) {
      log_gamma += std::lgamma(0.5 * (n - static_cast<double>(j)));
    }
    const double constant = n * d * (std::log(gamma_) - 0.5 * std::log(2.0)) - log_gamma;
    T prior = 0.0;
    for (std::size_t k = 0; k < k_; ++k) {
      T norm = square_norm(std::span<const T>(diagonals).subspan(k * d_, d_));
      if (d_ > 1) norm += square_norm(factor_of(x, k).subspan(d_));
      prior += 0.5 * gamma_ * gamma_ * norm - m_ * log_determinants[k];
    }
    return prior - static_cast<double>(k_) * constant;
  }

  std::size_t d_ = 0, k_ = 0, n_ = 0;
  double gamma_ = 0, m_ = 0;
  std::vector<double> start_, points_;
};

}  // namespace bench::problems
