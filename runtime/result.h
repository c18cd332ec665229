// How a cold path (config, spawn, files) says that it failed: a value that carries a sentence.
// Hot paths (bytes) use small enums instead, see runtime/fd.h.
#pragma once
#include <expected>
#include <string>
#include <utility>

namespace runtime {

/// Whose mistake it is decides the exit status of a command (docs/design.md, "The command line").
enum class Code {
  kConfig,       ///< the operator's file or flags: exit 2
  kSystem,       ///< a system call said no; `number` is its errno: exit 1
  kProtocol,     ///< a peer did not keep to a protocol: exit 1
  kPermission,   ///< the caller may not: exit 4
  kNotRunning,   ///< nobody answers there: exit 7
};

/// A failure for a person to read: what, where, and what to do about it.
struct Error {
  Code code;
  std::string sentence;
  int number = 0;  ///< errno, or 0

  /// "sentence: strerror(number)", or the sentence alone.
  std::string text() const;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string sentence, int number = 0) {
  return std::unexpected(Error{code, std::move(sentence), number});
}

}  // namespace runtime

#define TRY_CAT2(a, b) a##b
#define TRY_CAT(a, b) TRY_CAT2(a, b)
/// TRY(auto fd, open_it(path)): declares fd, or returns the Error from the enclosing function.
#define TRY(declaration, expression)                                                            \
  auto TRY_CAT(try_result_, __LINE__) = (expression);                                           \
  if (!TRY_CAT(try_result_, __LINE__)) return std::unexpected(std::move(TRY_CAT(try_result_, __LINE__)).error()); \
  declaration = std::move(*TRY_CAT(try_result_, __LINE__))
/// The same for Result<void>.
#define TRY_VOID(expression) \
  if (auto try_result_ = (expression); !try_result_) return std::unexpected(std::move(try_result_).error())
