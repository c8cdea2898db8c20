#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/host/file_state.h"
#include "core/host/settings.h"

/// What to change on a machine so that registry names resolve through our DNS and all others as before. Pure.
namespace devstack::host {

inline constexpr const char* kResolvConf = "/etc/resolv.conf";
inline constexpr const char* kResolvedDropIn = "/etc/systemd/resolved.conf.d/devstack.conf";
inline constexpr const char* kNetworkManagerDropIn = "/etc/NetworkManager/dnsmasq.d/devstack.conf";
/// Tells NetworkManager to leave resolv.conf alone.
inline constexpr const char* kNetworkManagerConf = "/etc/NetworkManager/conf.d/devstack.conf";
inline constexpr const char* kDnsmasqDropIn = "/etc/dnsmasq.d/devstack.conf";
inline constexpr const char* kDaemonJson = "/etc/docker/daemon.json";

/// Who answers the machine's own programs.
enum class Resolver {
  plain,            ///< the servers of resolv.conf
  resolved,         ///< systemd-resolved(8)
  network_manager,  ///< the dnsmasq that NetworkManager runs (dns=dnsmasq)
  dnsmasq,          ///< a dnsmasq of its own
};
std::string_view to_string(Resolver resolver);  ///< "resolv.conf", "systemd-resolved", …

/// The machine as it is, and as it was before we changed it.
struct HostFacts {
  Resolver resolver = Resolver::plain;
  std::string writer;       ///< program that writes resolv.conf by itself ("NetworkManager"), "" when none is known
  std::string resolv_conf;  ///< its text, wherever the path leads; without our own change
  std::vector<std::string> resolved_servers;  ///< global DNS= of the machine's own resolved.conf
  bool dnssec = false;                        ///< resolved was told to validate
  bool docker = false;                        ///< there is an engine here
  std::string docker_flag;                    ///< "--dns", when dockerd got it on its command line
  std::map<std::string, FileState> now;       ///< every path below that matters, folders too
  std::map<std::string, FileState> base;      ///< the same without our changes
  uid_t uid = 0;                              ///< of new files
  gid_t gid = 0;
};
/// The paths that `now` and `base` must hold, folders before what is in them.
std::vector<std::string> paths_of_interest();

struct Change {
  std::string path;
  FileState before, after;
  std::string reason;  ///< "names under consul are asked of 172.17.0.1"
  [[nodiscard]] bool needed() const { return !same(before, after); }
};
struct Plan {
  std::vector<Change> changes;     ///< in order; those that are made already too
  std::vector<std::string> notes;  ///< what the user should know
};
/// Errc::invalid_argument for what cannot be expressed (a port in resolv.conf), Errc::parse for a daemon.json that is
/// none. Paths that we changed and that need no change any more are put back.
Result<Plan> plan(const HostFacts& facts, const HostSettings& settings);

/// A program that must be told of changed files.
struct Notify {
  std::string program;            ///< "Docker"
  std::vector<std::string> argv;  ///< {"systemctl", "restart", "docker"}
  bool interrupts = false;        ///< containers would feel it: only when asked for
};
std::vector<Notify> notifications(const std::set<std::string>& changed);

/// What another machine needs to resolve our names, as a shell script to run there as root: /etc/resolver(5) of macOS.
std::string macos_script(const HostSettings& settings);

}  // namespace devstack::host
