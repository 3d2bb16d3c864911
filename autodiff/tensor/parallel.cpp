#include <autodiff/tensor/parallel.hpp>

#include <autodiff/error.hpp>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#endif

namespace autodiff {
namespace {

constexpr std::size_t most_threads = 1024;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// What one thread raises for another that waits for it. Operations follow each other closely, so
/// the waiting one spins for a while: waking a thread that sleeps takes as long as small products.
class signal_flag {
 public:
  void raise() {
    is_up_.store(true);
    // In the one order of all these accesses either this sees the sleeper or the sleeper the flag.
    if (!sleeps_.load()) return;
    const std::lock_guard lock(mutex_);
    wake_.notify_one();
  }
  /// Lowers it again.
  void wait() {
    if (!spin()) {
      std::unique_lock lock(mutex_);
      sleeps_.store(true);
      wake_.wait(lock, [this] { return is_up_.load(); });
      sleeps_.store(false);
    }
    is_up_.exchange(false);  // and sees what came before the last raise(), if there were several
  }

 private:
  bool spin() const {
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + std::chrono::microseconds(100);
    do {
      for (int i = 0; i < 64; ++i) {
        if (is_up_.load(std::memory_order_acquire)) return true;
        relax();
      }
    } while (clock::now() < end);
    return false;
  }

  std::atomic<bool> is_up_{false}, sleeps_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

/// Parts of one call that any thread takes while there are some.
class job {
 public:
  void open(std::size_t parts, void (*run)(void*, std::size_t), void* body) {
    run_ = run;
    body_ = body;
    failed_ = false;
    std::fegetenv(&environment_);
    unfinished_ = parts;
    unclaimed_.store(parts, std::memory_order_release);
  }
  /// Works on parts until all are taken. A worker that comes late finds none, or those of a younger
  /// call: it reads what the call is only when it has a part of it, and the call then waits for it.
  void help(bool as_worker) {
    std::size_t left = unclaimed_.load(std::memory_order_relaxed);
    while (left > 0) {
      if (!unclaimed_.compare_exchange_weak(left, left - 1, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
        continue;
      }
      if (as_worker) std::fesetenv(&environment_);
      run_part(left - 1);
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) finished_.raise();
      left = unclaimed_.load(std::memory_order_relaxed);
    }
  }
  /// Waits for the parts that others took.
  void close() {
    finished_.wait();
    if (failed_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void run_part(std::size_t part) noexcept {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      run_(body_, part);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  alignas(64) std::atomic<std::size_t> unclaimed_{0};
  alignas(64) std::atomic<std::size_t> unfinished_{0};
  void (*run_)(void*, std::size_t) = nullptr;
  void* body_ = nullptr;
  std::fenv_t environment_;
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
  std::mutex mutex_;
  signal_flag finished_;
};

/// A thread that waits for calls. The program's signals are for its own threads.
class worker {
 public:
  explicit worker(job& shared) {
#if defined(__unix__)
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
    const auto restore = [&] {
#if defined(__unix__)
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
    };
    try {
      std::thread([this, &shared] {
        for (;;) {
          called_.wait();
          shared.help(true);
        }
      }).detach();
    } catch (...) {
      restore();
      throw;
    }
    restore();
  }
  void call() { called_.raise(); }

 private:
  alignas(64) signal_flag called_;
};

/// All workers of the program, and the one call that they serve at a time.
class worker_pool {
 public:
  static worker_pool& instance() {
    // Never destroyed: static tensors may compute when the program ends, and workers that sleep
    // then have nothing to lose.
    static worker_pool* const pool = [] {
      auto* made = new worker_pool;
#if defined(__unix__)
      // Workers do not survive a fork. A pool that is busy for ever leaves the child on its own.
      pthread_atfork(nullptr, nullptr, [] { instance().busy_.store(true); });
#endif
      return made;
    }();
    return *pool;
  }

  /// Whether the workers were free and have done it.
  bool run(std::size_t parts, void (*run)(void*, std::size_t), void* body) {
    const std::size_t wanted = std::min(parts, threads()) - 1;  // beside the calling thread
    if (wanted == 0 || busy_.exchange(true)) return false;
    const free_again guard{busy_};
    start(wanted);
    if (workers_.empty()) return false;
    job_.open(parts, run, body);
    for (std::size_t i = 0; i < std::min(wanted, workers_.size()); ++i) workers_[i]->call();
    job_.help(false);
    job_.close();
    return true;
  }

 private:
  struct free_again {
    std::atomic<bool>& busy;
    ~free_again() { busy.store(false); }
  };

  void start(std::size_t wanted) {
    if (workers_.size() >= wanted || refused_) return;
    try {
      workers_.reserve(wanted);
      while (workers_.size() < wanted) workers_.push_back(std::make_unique<worker>(job_));
    } catch (const std::exception&) {
      refused_ = true;  // the system grants no more threads: those there are have to do
    }
  }

  std::atomic<bool> busy_{false};
  bool refused_ = false;
  std::vector<std::unique_ptr<worker>> workers_;
  job job_;
};

std::size_t available_cpus() noexcept {
#if defined(__linux__)
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&cpus)));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

std::size_t initial_threads() noexcept {
  const char* asked = std::getenv("BACKSWEEP_THREADS");
  const std::string_view text = asked ? asked : "";
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && count > 0;
  return std::min(is_number ? count : available_cpus(), most_threads);
}

std::atomic<std::size_t>& thread_count() noexcept {
  static std::atomic<std::size_t> count = initial_threads();
  return count;
}

}  // namespace

std::size_t threads() noexcept { return thread_count().load(std::memory_order_relaxed); }

void set_threads(std::size_t count) {
  if (count == 0) throw domain_error("set_threads", "0 threads", "1 is the calling thread alone");
  thread_count().store(std::min(count, most_threads), std::memory_order_relaxed);
}

void run_parts(std::size_t parts, void (*run)(void* body, std::size_t part), void* body) {
  if (parts > 1 && threads() > 1 && worker_pool::instance().run(parts, run, body)) return;
  for (std::size_t part = 0; part < parts; ++part) run(body, part);
}

}  // namespace autodiff
