// Expected failures are values: Result<T> is a T or an Error; Status is a Result without a value.
//
// An Error says what failed, on which node or object, and what to do; its kind says what the
// caller does next. Exceptions are for bugs and stop at the borders of libraries.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.hpp"

namespace syncline::core {

// What the caller does next.
enum class ErrorKind {
  kInvalid,      // the input is wrong: report it, do not retry
  kMissing,      // the named thing does not exist: create it, or look elsewhere
  kUnreachable,  // the other side did not answer: retry later or by another way
  kOverloaded,   // a bound was reached that frees itself: retry after a pause
  kExhausted,    // disk, memory or descriptors ran out: stop intake, tell the operator
  kCorrupt,      // bytes are not what they must be: discard, fetch from someone else, blame
  kConflict,     // somebody else changed it meanwhile: read again, then decide
  kCancelled,    // the caller or a deadline stopped it
};

const char* to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string what;     // one sentence: what failed and what to do
  std::string subject;  // node, path, collection or object it failed on; may be empty

  bool operator==(const Error&) const = default;
};

// "what (subject)": one line, fit for a terminal.
std::string to_string(const Error& error);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& value() & {
    require_ok();
    return std::get<0>(state_);
  }
  const T& value() const& {
    require_ok();
    return std::get<0>(state_);
  }
  T&& value() && {
    require_ok();
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T fallback) const& { return ok() ? std::get<0>(state_) : std::move(fallback); }

  // REQUIRES: !ok()
  const Error& error() const {
    SYNCLINE_CHECK(!ok(), "asked a success for its error");
    return std::get<1>(state_);
  }

 private:
  void require_ok() const {
    if (!ok()) invariant_failed("Result::ok()", __FILE__, __LINE__, to_string(std::get<1>(state_)));
  }
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    SYNCLINE_CHECK(!ok(), "asked a success for its error");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

// Passes a failure on to the caller:  SYNCLINE_TRY(store.flush());
#define SYNCLINE_TRY(expression)                                    \
  do {                                                              \
    if (auto syncline_status = (expression); !syncline_status.ok()) \
      return syncline_status.error();                               \
  } while (false)

#define SYNCLINE_CONCAT_(a, b) a##b
#define SYNCLINE_CONCAT(a, b) SYNCLINE_CONCAT_(a, b)
// Unwraps or passes the failure on:  SYNCLINE_ASSIGN(auto bytes, read_file(path));
#define SYNCLINE_ASSIGN(declaration, expression)                   \
  auto SYNCLINE_CONCAT(syncline_result_, __LINE__) = (expression); \
  if (!SYNCLINE_CONCAT(syncline_result_, __LINE__).ok())           \
    return SYNCLINE_CONCAT(syncline_result_, __LINE__).error();    \
  declaration = std::move(SYNCLINE_CONCAT(syncline_result_, __LINE__)).value()

}  // namespace syncline::core
