#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "core/base/source_pos.h"

/// Errors are values across room borders. `Result<T>` is the one alias (a move to std::expected is one line here);
/// a library that throws is caught in the file that calls it. The message says what and where and, if there is
/// something to do, what to do; it is written for the user and has no trailing newline.
namespace devstack {

/// What kind of failure this is. Each edge maps it in one table: api/status.cc (HTTP), cmd/devstack/exit_code.cc.
enum class Errc {
  failed,              ///< anything without a kind of its own
  invalid_argument,    ///< the caller's input is wrong
  not_found,           ///< the named thing does not exist
  conflict,            ///< the state does not allow it (CAS, held lock, already exists)
  permission,          ///< the system refuses: root or a group is missing
  unavailable,         ///< a peer is not there now: retry may help
  timeout,             ///< a deadline passed
  too_large,           ///< over a stated limit
  io,                  ///< a file or socket operation failed
  parse,               ///< text that does not follow its grammar
  stack_file,          ///< the stack file is wrong (exit code 6)
  docker_unreachable,  ///< no engine answers (exit code 3)
  port_taken,          ///< another program holds the port (exit code 4)
  unhealthy,           ///< not healthy in time (exit code 5)
  usage,               ///< wrong command line (exit code 2)
  cancelled,           ///< stopped on request
};

struct Error {
  Errc code = Errc::failed;
  std::string message;
  std::optional<SourcePos> at = std::nullopt;

  /// "stack.yaml:12:7: message", or the message alone when no position is known.
  [[nodiscard]] std::string to_string() const;
  /// The same error with `context + ": "` before its message.
  [[nodiscard]] Error with_context(std::string_view context) &&;
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(Errc::not_found, "no service \"{}\"", name);`
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail_at(SourcePos at, Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...), std::move(at)});
}

}  // namespace devstack

#define DEVSTACK_CONCAT_INNER(a, b) a##b
#define DEVSTACK_CONCAT(a, b) DEVSTACK_CONCAT_INNER(a, b)
#define DEVSTACK_TRY(tmp, ret, decl, ...)                                  \
  auto tmp = (__VA_ARGS__);                                                \
  if (!tmp) ret tl::unexpected<::devstack::Error>(std::move(tmp).error()); \
  decl = std::move(*tmp)
#define DEVSTACK_CHECK(tmp, ret, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp) ret tl::unexpected<::devstack::Error>(std::move(tmp).error())

/// `TRY(auto config, read_config(path));` declares `config`, or returns the error. CO_TRY is the same in a coroutine,
/// where the expression is usually a co_await; CHECK and CO_CHECK are for Result<void>.
#define TRY(decl, ...) DEVSTACK_TRY(DEVSTACK_CONCAT(result_, __LINE__), return, decl, __VA_ARGS__)
#define CO_TRY(decl, ...) DEVSTACK_TRY(DEVSTACK_CONCAT(result_, __LINE__), co_return, decl, __VA_ARGS__)
#define CHECK(...) DEVSTACK_CHECK(DEVSTACK_CONCAT(result_, __LINE__), return, __VA_ARGS__)
#define CO_CHECK(...) DEVSTACK_CHECK(DEVSTACK_CONCAT(result_, __LINE__), co_return, __VA_ARGS__)
