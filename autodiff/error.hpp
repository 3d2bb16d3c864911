#pragma once
// Every exception of the library, built in one place so that each message answers three questions:
// which operation, what happened (with the shapes, values or sizes), and what to do about it.

#include <stdexcept>
#include <string>
#include <string_view>

namespace autodiff {

/// The root of the family. what() reads "operation: what happened; what to do".
/// After any of them the tape can be rewound and used again, and operands are as they were.
class error : public std::runtime_error {
 public:
  error(std::string_view operation, std::string_view happened, std::string_view remedy);

  /// The operation that refused, as the user wrote it: "matmul", "backward".
  const std::string& operation() const noexcept { return operation_; }

 private:
  std::string operation_;
};

/// Shapes that do not fit each other or an index outside a shape.
class shape_error : public error {
 public:
  using error::error;
};

/// A variable used where its tape cannot serve it: rewound, of another tape, never recorded.
class tape_error : public error {
 public:
  using error::error;
};

/// An argument outside the set on which an operation is defined.
class domain_error : public error {
 public:
  using error::error;
};

/// A file or stream that cannot be read or written, or holds something else than it should.
class io_error : public error {
 public:
  using error::error;
};

/// Memory or places ran out; the message carries the sizes.
class memory_error : public error {
 public:
  using error::error;
};

}  // namespace autodiff
