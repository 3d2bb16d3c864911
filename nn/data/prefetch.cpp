#include <nn/data/prefetch.hpp>

#include <autodiff/error.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace nn {

/// The thread of one epoch, and the queue between it and the caller.
template <class T>
struct prefetching_source<T>::worker {
  worker(batch_source<T>& source, std::size_t ahead, std::size_t epoch, std::size_t first_batch)
      : thread([this, &source, ahead, epoch, first_batch] {
          try {
            source.begin(epoch, first_batch);
            for (batch<T> made; !stopped && source.next(made);) put(made, ahead);
          } catch (...) {
            failure = std::current_exception();
          }
          const std::lock_guard lock(mutex);
          ended = true;
          changed.notify_all();
        }) {}
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() {
    {
      const std::lock_guard lock(mutex);
      stopped = true;
    }
    changed.notify_all();
    thread.join();
  }

  void put(batch<T>& made, std::size_t ahead) {
    std::vector<batch<T>> dropped;  // after the lock
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stopped || ready.size() < ahead; });
    ready.push_back(std::exchange(made, {}));
    dropped.swap(used);
    changed.notify_all();
    lock.unlock();
  }

  bool take(batch<T>& into) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended || !ready.empty(); });
    if (!ready.empty()) {
      std::swap(into, ready.front());
      used.push_back(std::move(ready.front()));
      ready.pop_front();
      changed.notify_all();
      return true;
    }
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    return false;
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<batch<T>> ready;
  /// What the caller had before: dropped by this thread, its memory serves the next batch.
  std::vector<batch<T>> used;
  std::exception_ptr failure;
  bool ended = false;
  std::atomic<bool> stopped = false;
  std::thread thread;  // the last member: it uses the others
};

template <class T>
prefetching_source<T>::prefetching_source(batch_source<T>& source, std::size_t ahead)
    : source_(source), ahead_(ahead) {
  if (ahead == 0) {
    throw autodiff::domain_error("prefetching_source", "0 batches ahead",
                                 "use at least 1, or the source itself");
  }
}

template <class T>
prefetching_source<T>::~prefetching_source() = default;

template <class T>
void prefetching_source<T>::begin(std::size_t epoch, std::size_t first_batch) {
  worker_.reset();  // before another one uses the source
  worker_ = std::make_unique<worker>(source_, ahead_, epoch, first_batch);
}

template <class T>
bool prefetching_source<T>::next(batch<T>& into) {
  if (!worker_) begin(0);
  return worker_->take(into);
}

template class prefetching_source<float>;
template class prefetching_source<double>;

}  // namespace nn
