#pragma once

#include <string>
#include <vector>

#include "core/base/async/directory_watch.h"
#include "core/logs/reader.h"
#include "core/supervisor/status.h"

/// An `up` that stays in the terminal: what it shows of the services, and when it ends by itself.
namespace devstack {

struct Attachment {
  bool abort_on_exit = false;
  std::string exit_code_from;
  std::vector<std::string> only, never;  ///< services; `only` empty: all

  /// Flags were given that make no sense in the background.
  [[nodiscard]] bool wanted() const { return ends() || !only.empty(); }
  [[nodiscard]] bool ends() const { return abort_on_exit || !exit_code_from.empty(); }
  [[nodiscard]] bool shows(const std::string& service) const;
};

/// A unit that ended and is not started again; nullptr while all others run. Pure.
const supervisor::UnitStatus* ended_unit(const supervisor::Status& status);
/// The exit code of an `up` that ended because `first` did: its code, or that of the service that was named. Pure.
int code_of(const supervisor::Status& status, const std::string& first, const Attachment& attachment);

/// Prints what units print from now on, as `devstack logs -f` does.
class AttachedOutput {
 public:
  AttachedOutput(const asio::any_io_executor& loop, std::string kept, Attachment attachment);
  /// What is there now.
  void print(const supervisor::Status& status, const std::vector<std::string>& quiet);
  Signal& changed() { return files_.changed(); }
  void close() { files_.close(); }

 private:
  std::string kept_;
  Attachment attachment_;
  DirectoryWatch files_;
  logs::LogReader reader_;
};

}  // namespace devstack
