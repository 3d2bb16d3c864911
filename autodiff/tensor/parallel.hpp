#pragma once
// Several threads for one operation on large arrays: workers that are started once, wait for the
// next operation with a short spin and then asleep, and share its parts with the thread that calls.
// What an operation computes must not depend on who computes which part, so that results are the
// same to the last bit on any number of threads.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace autodiff {

/// How many threads an operation may use, the calling one among them: what set_threads() said, else
/// the environment variable BACKSWEEP_THREADS, else as many as the process has CPUs to run on.
std::size_t threads() noexcept;
/// For all threads of the program, from their next operation on. Results do not depend on it.
/// Throws domain_error for 0.
void set_threads(std::size_t count);

/// Calls run(body, part) once for each part in [0, parts), on this thread and workers. Use
/// parallel().
void run_parts(std::size_t parts, void (*run)(void* body, std::size_t part), void* body);

/// Calls body(part) once for each part in [0, parts), in any order and on any of threads() threads,
/// and returns when all are done. The first exception passes to the caller, and parts not begun by
/// then are left out. Any thread may call, also inside a body: while the workers are busy with one
/// call, others run alone, and so does the child of a fork, which has no workers. Costs a few
/// microseconds while the workers spin, some tens when they sleep; workers compute with the
/// caller's rounding and exception modes.
template <class Body>
void parallel(std::size_t parts, Body&& body) {
  using object = std::remove_reference_t<Body>;
  run_parts(
      parts, [](void* of, std::size_t part) { (*static_cast<object*>(of))(part); },
      const_cast<void*>(static_cast<const void*>(std::addressof(body))));
}

/// Calls body(first, count) for ranges that make up [0, n), of `least` or more and beginning at
/// multiples of `grain`. For loops that treat what is left of their last grain otherwise, as vector
/// units do, the division makes no difference then.
template <class Body>
void parallel_ranges(std::size_t n, std::size_t least, std::size_t grain, Body&& body) {
  if (n < 2 * least) return body(std::size_t{0}, n);
  const std::size_t ranges = std::min(n / least, threads());
  const std::size_t range = ((n + ranges - 1) / ranges + grain - 1) / grain * grain;
  if (ranges == 1 || range >= n) return body(std::size_t{0}, n);
  parallel((n + range - 1) / range, [&](std::size_t part) {
    const std::size_t first = part * range;
    body(first, std::min(range, n - first));
  });
}

/// Elements that are worth a thread, for loops of some tenths of a nanosecond an element.
inline constexpr std::size_t elements_worth_a_thread = 32768;

/// Whether so many are for the calling thread. To be asked before a body is made where nanoseconds
/// count: what a body refers to has to lie in memory.
constexpr bool are_few_elements(std::size_t n) noexcept { return n < 2 * elements_worth_a_thread; }

/// parallel_ranges() for elementwise loops.
template <class Body>
void parallel_elements(std::size_t n, Body&& body) {
  parallel_ranges(n, elements_worth_a_thread, 64, body);
}

/// The same for loops over the rows of a matrix [rows, columns], `grain` rows at a time.
template <class Body>
void parallel_rows(std::size_t rows, std::size_t columns, std::size_t grain, Body&& body) {
  parallel_ranges(rows, elements_worth_a_thread / std::max<std::size_t>(1, columns) + 1, grain,
                  body);
}

}  // namespace autodiff
