#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/exchange.h"

/// Whom we ask about names that are not ours.
namespace devstack::dns {

/// The `nameserver` lines of a resolv.conf(5), in order, port 53; others and malformed ones are left out. Pure.
std::vector<Endpoint> parse_resolv_conf(std::string_view text);

/// "10.0.0.1", "10.0.0.1:5353", "fd00::1", "[fd00::1]:5353"; port 53 when not said. Errc::invalid_argument. Pure.
Result<Endpoint> parse_recursor(std::string_view text);

/// The recursors in the order to ask: a fixed list, or with "auto" the machine's own, read again when their file
/// changes (looked at once a second at most). One thread.
class Recursors {
 public:
  /// What "auto" reads: the first file that names a server. The real upstreams of systemd-resolved and NetworkManager
  /// come before /etc/resolv.conf, where only a stub or we ourselves may stand.
  static std::vector<std::filesystem::path> system_files();

  /// `entries` as in the stack file: addresses, or "auto". Errc::invalid_argument for anything else.
  static Result<Recursors> parse(const std::vector<std::string>& entries,
                                 std::vector<std::filesystem::path> files = system_files());

  /// Without ours: `own` tells whether an endpoint is one we listen on ourselves.
  std::vector<Endpoint> current(const std::function<bool(const Endpoint&)>& own);
  /// Whether there can be any: something is configured.
  [[nodiscard]] bool configured() const { return automatic_ || !fixed_.empty(); }

 private:
  void reread();
  std::vector<Endpoint> fixed_, found_;
  bool automatic_ = false;
  std::vector<std::filesystem::path> files_;
  std::filesystem::path read_from_;
  std::filesystem::file_time_type read_version_{};
  std::chrono::steady_clock::time_point next_look_{};
};

/// Who answers for the names of certain domains, as dnsmasq's server=/DOMAIN/ADDRESS. Pure; any thread.
class DomainServers {
 public:
  /// Domain to addresses as in `parse_recursor`. Errc::invalid_argument names what is wrong.
  static Result<DomainServers> parse(const std::map<std::string, std::vector<std::string>>& entries);
  /// Those of the longest domain that `name` is in; empty: nobody is to be asked. Null when it is in none.
  [[nodiscard]] const std::vector<Endpoint>* find(const Name& name) const;
  [[nodiscard]] bool empty() const { return by_domain_.empty(); }

 private:
  std::map<std::string, std::vector<Endpoint>, std::less<>> by_domain_;  // by lowered wire form
};

}  // namespace devstack::dns
