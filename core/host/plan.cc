#include "core/host/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/host/daemon_json.h"
#include "core/host/resolv_conf.h"

namespace devstack::host {
namespace {

constexpr const char* kHeader = "# Written by `devstack host setup`; `devstack host undo` takes it away.\n";

/// Every folder of a path, the outermost first; without "/" and "/etc", which any machine has.
std::vector<std::string> folders_of(const std::string& path) {
  std::vector<std::string> out;
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (path.substr(0, slash) != "/etc") out.push_back(path.substr(0, slash));
  }
  return out;
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

/// Collects the wanted state of paths.
class Planner {
 public:
  Planner(const HostFacts& facts, const HostSettings& settings) : facts_(facts), settings_(settings) {}

  Result<Plan> make() {
    if (settings_.resolver) CHECK(wire_resolver());
    if (settings_.docker) CHECK(wire_docker());
    put_back_the_rest();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] FileState now(const std::string& path) const { return at(facts_.now, path); }
  [[nodiscard]] FileState base(const std::string& path) const { return at(facts_.base, path); }
  static FileState at(const std::map<std::string, FileState>& states, const std::string& path) {
    const auto found = states.find(path);
    return found == states.end() ? FileState{} : found->second;
  }

  [[nodiscard]] std::string names() const {
    return fmt::format("names under {} are asked of {}", fmt::join(settings_.domains, ", "), server(':'));
  }
  [[nodiscard]] std::string server(char before_port) const {
    if (settings_.port == 53) return settings_.address;
    const bool bracket = before_port == ':' && settings_.address.find(':') != std::string::npos;
    return fmt::format("{}{}{}{}{}", bracket ? "[" : "", settings_.address, bracket ? "]" : "", before_port,
                       settings_.port);
  }

  /// The bytes of a file that may have been there: it keeps its mode and owner.
  void want(const std::string& path, std::string bytes, std::string reason) {
    for (const auto& folder : folders_of(path)) {
      const bool listed = std::any_of(plan_.changes.begin(), plan_.changes.end(),
                                      [&](const Change& change) { return change.path == folder; });
      if (listed || base(folder).exists()) continue;
      const FileState made{FileState::Kind::directory, "", 0755, facts_.uid, facts_.gid, 0};
      plan_.changes.push_back({folder, now(folder), made, "a folder for what follows"});
    }
    const auto old = base(path);
    const bool file = old.kind == FileState::Kind::file;
    auto after = regular_file(std::move(bytes), file ? old.mode : 0644, file ? old.uid : facts_.uid,
                              file ? old.gid : facts_.gid);
    // Already as it should be by itself: then it is not ours to date, either.
    if (same(old, after)) after = old;
    plan_.changes.push_back({path, now(path), std::move(after), std::move(reason)});
  }

  Result<void> wire_resolver() {
    switch (facts_.resolver) {
      case Resolver::resolved:
        wire_resolved();
        return {};
      case Resolver::network_manager:
        wire_dnsmasq(kNetworkManagerDropIn);
        return {};
      case Resolver::dnsmasq:
        wire_dnsmasq(kDnsmasqDropIn);
        return {};
      case Resolver::plain:
        break;
    }
    return wire_resolv_conf();
  }

  /// The global scope and not docker0's: a link without a carrier, as docker0 is before the first container, has no
  /// DNS scope in resolved, and what resolvectl sets on a link is gone when the link or the machine restarts. Names
  /// that are not ours go to the links' servers and, side by side, to us, who forward them: they resolve without us,
  /// too.
  void wire_resolved() {
    std::string text = std::string(kHeader) + "[Resolve]\n";
    std::string servers = server(':');
    if (!facts_.resolved_servers.empty()) {
      // Of several global servers resolved asks one until it fails: ours must be the first.
      text += "DNS=\n";
      for (const auto& one : facts_.resolved_servers) servers += " " + one;
      plan_.notes.push_back(
          fmt::format("resolved.conf names servers of its own: after {} was away, restart systemd-resolved so that it "
                      "is asked first "
                      "again",
                      settings_.address));
    }
    text += "DNS=" + servers + "\nDomains=";
    for (const auto& domain : settings_.domains) text += (text.back() == '=' ? "~" : " ~") + domain;
    if (!settings_.search.empty()) text += " " + settings_.search;
    if (facts_.dnssec) {
      plan_.notes.push_back(
          fmt::format("systemd-resolved validates DNSSEC: it refuses {} unless a negative trust anchor exempts it "
                      "(dnssec-trust-anchors.d(5))",
                      fmt::join(settings_.domains, ", ")));
    }
    want(kResolvedDropIn, text + "\n", names() + " by systemd-resolved");
  }

  void wire_dnsmasq(const char* path) {
    std::string text = kHeader;
    for (const auto& domain : settings_.domains) {
      // Our answers are private addresses: a dnsmasq that stops rebinding would drop them.
      text += fmt::format("server=/{0}/{1}\nrebind-domain-ok=/{0}/\n", domain, server('#'));
    }
    if (!settings_.search.empty()) note_search();
    want(path, std::move(text), names() + " by dnsmasq");
  }

  Result<void> wire_resolv_conf() {
    if (settings_.port != 53) {
      return fail(
          Errc::invalid_argument,
          "resolv.conf cannot name port {}: give DNS port 53 (dns.port in the stack file), or use --no-resolver",
          settings_.port);
    }
    if (base(kResolvConf).kind == FileState::Kind::other || base(kResolvConf).kind == FileState::Kind::directory) {
      return fail(Errc::invalid_argument, "{} is no file", kResolvConf);
    }
    if (has_option(facts_.resolv_conf, "rotate")) {
      plan_.notes.push_back(
          "resolv.conf has `options rotate`: other servers are asked for registry names too, and deny them");
    }
    if (facts_.writer == "NetworkManager") {
      leave_resolv_conf_alone();
    } else if (!facts_.writer.empty()) {
      plan_.notes.push_back(
          fmt::format("{} writes resolv.conf: when it does so again, run `devstack host setup` again", facts_.writer));
    }
    want(kResolvConf, point_at(facts_.resolv_conf, settings_.address, settings_.search),
         "every name is asked of " + settings_.address + " first; the servers that were there stay behind it");
    return {};
  }

  /// NetworkManager writes resolv.conf whenever a connection changes. Its [global-dns] could name us there, but only
  /// with a fixed list of servers behind us. With dns=none it still keeps what the connections bring in its own folder
  /// (NetworkManager.conf(5)), where our recursors: auto finds the servers of the network of the day.
  void leave_resolv_conf_alone() {
    want(kNetworkManagerConf, std::string(kHeader) + "[main]\ndns=none\n",
         "NetworkManager leaves resolv.conf alone, or it would take our server out again");
    plan_.notes.push_back(
        "NetworkManager does not write resolv.conf until `devstack host undo`: the servers behind ours there stay "
        "those "
        "of today, and count while devstack is down");
  }

  Result<void> wire_docker() {
    if (!facts_.docker) return {};
    if (is_loopback(settings_.address) || settings_.port != 53) {
      plan_.notes.push_back(fmt::format("Docker is left alone: containers cannot ask {}", server(':')));
      return {};
    }
    if (!facts_.docker_flag.empty()) {
      plan_.notes.push_back(
          fmt::format("Docker is left alone: dockerd got {} on its command line, and refuses to start "
                      "when {} says it too",
                      facts_.docker_flag, kDaemonJson));
      return {};
    }
    const auto old = base(kDaemonJson);
    if (old.exists() && old.kind != FileState::Kind::file) {
      plan_.notes.push_back(fmt::format("Docker is left alone: {} is no regular file", kDaemonJson));
      return {};
    }
    TRY(auto text, put_first(old.bytes, kDaemonJson, "dns", settings_.address));
    if (!settings_.search.empty()) {
      TRY(text, put_first(text, kDaemonJson, "dns-search", settings_.search));
    }
    if (list_of(old.bytes, "dns").empty()) {
      plan_.notes.push_back(
          fmt::format("daemon.json named no servers: containers will ask only {}; while devstack is down they resolve "
                      "nothing",
                      settings_.address));
    }
    want(kDaemonJson, std::move(text), "containers that are not devstack's ask " + settings_.address + " first");
    return {};
  }

  void note_search() {
    plan_.notes.push_back("dnsmasq has no search domain: add it to resolv.conf yourself for short names");
  }

  /// What an earlier setup changed and this one does not want. Files before the folders that were made for them.
  void put_back_the_rest() {
    std::vector<Change> back;
    for (const auto& [path, state] : facts_.base) {
      const bool wanted = std::any_of(plan_.changes.begin(), plan_.changes.end(),
                                      [&, &name = path](const Change& change) { return change.path == name; });
      if (!wanted && !same(now(path), state)) back.push_back({path, now(path), state, "not wanted any more"});
    }
    plan_.changes.insert(plan_.changes.end(), back.rbegin(), back.rend());
  }

  const HostFacts& facts_;
  const HostSettings& settings_;
  Plan plan_;
};

}  // namespace

std::string_view to_string(Resolver resolver) {
  switch (resolver) {
    case Resolver::plain:
      return "resolv.conf";
    case Resolver::resolved:
      return "systemd-resolved";
    case Resolver::network_manager:
      return "NetworkManager's dnsmasq";
    case Resolver::dnsmasq:
      return "dnsmasq";
  }
  return "";
}

std::vector<std::string> paths_of_interest() {
  std::vector<std::string> out;
  for (const char* path :
       {kNetworkManagerConf, kResolvConf, kResolvedDropIn, kNetworkManagerDropIn, kDnsmasqDropIn, kDaemonJson}) {
    for (auto& folder : folders_of(path)) {
      if (std::find(out.begin(), out.end(), folder) == out.end()) out.push_back(std::move(folder));
    }
    out.emplace_back(path);
  }
  return out;
}

Result<Plan> plan(const HostFacts& facts, const HostSettings& settings) { return Planner(facts, settings).make(); }

std::vector<Notify> notifications(const std::set<std::string>& changed) {
  std::vector<Notify> out;
  if (changed.contains(kResolvedDropIn)) {
    out.push_back({"systemd-resolved", {"systemctl", "restart", "systemd-resolved"}, false});
  }
  // A reload does not make NetworkManager's dnsmasq read its folder; this starts a new one.
  if (changed.contains(kNetworkManagerDropIn)) {
    out.push_back({"NetworkManager", {"nmcli", "general", "reload", "dns-full"}, false});
  }
  // Reads its configuration anew and, once it may again, writes resolv.conf.
  if (changed.contains(kNetworkManagerConf)) {
    out.push_back({"NetworkManager", {"nmcli", "general", "reload"}, false});
  }
  if (changed.contains(kDnsmasqDropIn)) out.push_back({"dnsmasq", {"systemctl", "restart", "dnsmasq"}, false});
  // dockerd reads `dns` only when it starts (not on SIGHUP).
  if (changed.contains(kDaemonJson)) out.push_back({"Docker", {"systemctl", "restart", "docker"}, true});
  return out;
}

std::string macos_script(const HostSettings& settings) {
  std::string out = "# Run on the Mac as root. To take it back, remove these files.\nmkdir -p /etc/resolver\n";
  for (const auto& domain : settings.domains) {
    out += fmt::format("printf 'nameserver {}\\nport {}\\n' > /etc/resolver/{}\n", settings.address, settings.port,
                       domain);
  }
  return out;
}

}  // namespace devstack::host
