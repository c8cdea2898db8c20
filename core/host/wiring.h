#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/host/machine.h"
#include "core/host/plan.h"
#include "core/host/settings.h"

/// `devstack host setup|undo|status`: points a machine at our DNS and takes it back, byte for byte, after a crash
/// between any two steps too. Everything is journalled in `state_dir`/host first. One at a time on a machine.
namespace devstack::host {

namespace asio = boost::asio;

struct WiringOptions {
  std::string root = "/";                          ///< another machine's tree: files only, no program is told
  std::string state_dir = "/var/lib/devstack";     ///< below `root`; Errc::invalid_argument if a link leads out of it
  std::map<std::string, std::string> environment;  ///< of the programs that are run: systemctl, nmcli
  bool restart_docker = false;                     ///< else the user is told to do it
  Machine::OnStep on_step;                         ///< after every step, journalled ones too
};

struct SetupReport {
  std::vector<Change> changes;     ///< those that were made (or would be)
  std::vector<std::string> notes;  ///< to know
  std::vector<std::string> todo;   ///< left for the user to do: programs that could not be told, too
};
/// What setup() would do. Changes nothing.
Result<SetupReport> preview(const WiringOptions& options, const HostSettings& settings);
/// Makes every change that is needed, and tells the programs concerned. When one cannot be made (a full disk) those
/// before it are taken back. Errc::permission without the rights; those of plan().
asio::awaitable<Result<SetupReport>> setup(WiringOptions options, HostSettings settings);

struct UndoReport {
  std::vector<std::string> restored;
  /// Changed by somebody else since with our part still in it, or not to be put back now: why and what to do.
  std::vector<std::string> kept;
  std::vector<std::string> notes, todo;
};
/// Takes everything back that can be; the rest is `kept`, for a later undo. What somebody else changed since stays
/// theirs, unless `force`.
asio::awaitable<Result<UndoReport>> undo(WiringOptions options, bool force);

struct StatusReport {
  struct Item {
    std::string path;
    bool wired = false;
    std::string detail;  ///< what it does, or what is wrong with it
  };
  bool wired = false;      ///< a setup was made and all of it is in place
  bool was_setup = false;  ///< some of it can be undone
  Resolver resolver = Resolver::plain;
  HostSettings settings;  ///< of the last setup, else those given
  std::vector<Item> items;
  std::vector<std::string> notes, todo;
};
Result<StatusReport> status(const WiringOptions& options, const HostSettings& otherwise);

}  // namespace devstack::host
