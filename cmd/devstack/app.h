#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "cmd/devstack/up_choice.h"
#include "core/base/async/signal.h"
#include "core/base/result.h"
#include "core/stack/stack_file.h"

namespace devstack {

struct AppOptions {
  std::string state_dir;
  stack::LoadOptions load;  ///< how `file` was found; reload and apply read it again
  stack::StackFile file;
  UpChoice choice;     ///< of the `up` that started us
  std::string ui_dir;  ///< serve the status page's files from here; "" = the embedded ones
};

/// The composition root: makes every room's objects and hands them to each other; nothing includes it but the commands
/// and the tests. Lives on the thread that runs `loop`.
class App {
 public:
  App(asio::io_context& loop, AppOptions options);
  ~App();

  /// Returns when every component answers; services go on starting. On an error nothing is left running.
  asio::awaitable<Result<void>> start();
  /// `down`: services, then components, then the control socket. Of one project, while others are up: its services.
  asio::awaitable<Result<void>> down(supervisor::DownOptions options = {}, std::string project = {});
  /// Reads the stack files again and converges. Returns one line a change, empty when nothing changed.
  asio::awaitable<Result<std::string>> reload();
  /// The same for a file found, and a choice made, as `request` says (up_choice.h). Another project joins those that
  /// are up.
  asio::awaitable<Result<std::string>> apply(std::string request);
  /// What apply() would do, as changes.h writes it.
  asio::awaitable<Result<std::string>> plan(std::string request);
  /// Of the project that the components came with.
  [[nodiscard]] supervisor::Status status() const;
  /// Bumps when status() would say something else.
  Signal& changed();
  [[nodiscard]] const stack::StackFile& file() const;
  /// Bumps when a client asked for `down` and it has been carried out: the program ends then.
  Signal& finished();
  /// Fallbacks and other things a user should read once, after start().
  [[nodiscard]] const std::vector<std::string>& notices() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace devstack
