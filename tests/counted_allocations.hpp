#pragma once
// Counts what a program asks the system for: the allocator of the C library is replaced, which
// operator new and the pools of the engine go through. For programs of one source that includes it.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

// The sanitizers replace malloc themselves, and with them blocks of tensors are not reused.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if !defined(SANITIZED) && defined(__GLIBC__)
#define MALLOC_IS_COUNTED 1
#else
#define MALLOC_IS_COUNTED 0
#endif

/// Requests for memory since the start.
inline std::atomic<std::size_t> requests{0};
/// Whether every request is counted, or those of operator new alone.
inline constexpr bool malloc_is_counted = MALLOC_IS_COUNTED;

#if MALLOC_IS_COUNTED

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++requests;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++requests;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++requests;
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++requests;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++requests;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  ++requests;
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : ENOMEM;
}
}

#else

// Inlined, one half of a pair would look like a mismatch with the other.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++requests;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++requests;
  return std::malloc(size ? size : 1);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif
