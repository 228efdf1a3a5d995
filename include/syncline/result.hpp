// Result: a value, or the Error that says why there is none. No exceptions are thrown by this
// library for anything that a network, a daemon or an argument can do.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace syncline {

// What the caller does next.
enum class ErrorKind {
  kInvalid,      // the request is wrong: correct it
  kMissing,      // no such collection, node or object
  kUnreachable,  // the daemon did not answer: is it running?
  kOverloaded,   // a bound that frees itself: try again after a pause
  kExhausted,    // disk, memory or descriptors ran out on the daemon's machine
  kCorrupt,      // bytes were not what they must be
  kConflict,     // somebody else changed it meanwhile
  kCancelled,    // a deadline passed
  kDenied,       // the token is missing or wrong
};

struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string what;             // one sentence: what failed and what to do
  std::string subject;          // node, path, collection or address; may be empty
  bool is_from_daemon = false;  // the daemon said so; else this library found it itself
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: implicit by intent
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  // REQUIRES: !ok()
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

// A result without a value.
struct Done {};

}  // namespace syncline
