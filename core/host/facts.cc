#include "core/host/facts.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/host/resolv_conf.h"

namespace devstack::host {
namespace {

/// `KEY=value` lines of an INI file below [section], in order; what systemd and NetworkManager write.
std::vector<std::string> ini_values(std::string_view text, std::string_view section, std::string_view key) {
  std::vector<std::string> found;
  std::istringstream lines{std::string(text)};
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.starts_with('[')) inside = line == "[" + std::string(section) + "]";
    const auto equals = line.find('=');
    if (!inside || equals == std::string::npos || line.starts_with('#') || line.starts_with(';')) continue;
    std::string name = line.substr(0, equals);
    name.erase(name.find_last_not_of(" \t") + 1);
    if (name == key) found.push_back(line.substr(std::min(line.find_first_not_of(" \t", equals + 1), line.size())));
  }
  return found;
}

/// The file and its drop-ins, in the order in which they count; ours left out.
std::string with_drop_ins(const Machine& machine, const std::string& file, const std::string& folder) {
  std::string text = machine.read(file).value_or("");
  for (const auto& name : machine.list(folder)) {
    if (name.ends_with(".conf") && name != "devstack.conf") {
      text += "\n" + machine.read(folder + "/" + name).value_or("");
    }
  }
  return text;
}

void look_at_resolved(const Machine& machine, HostFacts& facts) {
  const auto text = with_drop_ins(machine, "/etc/systemd/resolved.conf", "/etc/systemd/resolved.conf.d");
  for (const auto& value : ini_values(text, "Resolve", "DNS")) {
    if (value.empty()) facts.resolved_servers.clear();  // an empty assignment empties the list
    std::istringstream words(value);
    for (std::string word; words >> word;) facts.resolved_servers.push_back(word);
  }
  const auto dnssec = ini_values(text, "Resolve", "DNSSEC");
  facts.dnssec = !dnssec.empty() && dnssec.back() != "no" && dnssec.back() != "false";
}

bool network_manager_runs_dnsmasq(const Machine& machine) {
  const auto text = with_drop_ins(machine, "/etc/NetworkManager/NetworkManager.conf", "/etc/NetworkManager/conf.d");
  const auto dns = ini_values(text, "main", "dns");
  return !dns.empty() && dns.back() == "dnsmasq";
}

Resolver resolver_of(const Machine& machine, const HostFacts& facts) {
  const auto& link = facts.base.at(kResolvConf);
  const bool to_resolved =
      link.kind == FileState::Kind::symlink && link.bytes.find("/systemd/resolve/") != std::string::npos;
  const auto servers = nameservers(facts.resolv_conf);
  const std::string first = servers.empty() ? "" : servers.front();
  if (to_resolved || first == "127.0.0.53") return Resolver::resolved;
  if (!first.starts_with("127.")) return Resolver::plain;
  if (network_manager_runs_dnsmasq(machine)) return Resolver::network_manager;
  return facts.base.at("/etc/dnsmasq.d").exists() ? Resolver::dnsmasq : Resolver::plain;
}

/// Who rewrites resolv.conf behind our back, by the comment that it leaves there or the link's target.
std::string writer_of(const HostFacts& facts) {
  const auto& link = facts.base.at(kResolvConf);
  const std::string hints = facts.resolv_conf + (link.kind == FileState::Kind::symlink ? link.bytes : "");
  for (const char* name : {"NetworkManager", "resolvconf", "connman", "dhcpcd", "dhclient"}) {
    if (hints.find(name) != std::string::npos) return name;
  }
  return "";
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A running dockerd's --dns or --dns-search.
std::string docker_flag() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    if (file_text(entry.path() / "comm") != "dockerd\n") continue;
    std::string arguments = file_text(entry.path() / "cmdline");
    std::replace(arguments.begin(), arguments.end(), '\0', ' ');
    for (const char* flag : {"--dns-search", "--dns"}) {
      for (const char* after : {" ", "="}) {
        if (arguments.find(std::string(" ") + flag + after) != std::string::npos) return flag;
      }
    }
  }
  return "";
}

bool has_docker(const Machine& machine) {
  constexpr std::array<const char*, 4> signs{"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
                                             "/run/docker.sock"};
  return std::any_of(signs.begin(), signs.end(), [&](const char* path) {
    const auto found = machine.look(path);
    return found && found->exists();
  });
}

}  // namespace

Result<HostFacts> gather(const Machine& machine, const History& history) {
  HostFacts facts;
  facts.uid = ::geteuid();
  facts.gid = ::getegid();
  for (const auto& path : paths_of_interest()) {
    TRY(facts.now[path], machine.look(path));
    facts.base[path] = facts.now[path];
  }
  const auto known = [&](const std::string& path) {
    const auto at = facts.now.find(path);
    return at == facts.now.end() ? FileState{} : at->second;
  };
  for (const auto& one : restorations(history.entries, known, false)) facts.base[one.path] = one.back;

  const auto& resolv_conf = facts.base.at(kResolvConf);
  if (resolv_conf.kind == FileState::Kind::file) {
    facts.resolv_conf = resolv_conf.bytes;
  } else if (resolv_conf.kind == FileState::Kind::symlink) {
    // Our own file may stand where the link was: what the link leads to is read by its target.
    const std::string target = resolv_conf.bytes.starts_with('/') ? resolv_conf.bytes : "/etc/" + resolv_conf.bytes;
    facts.resolv_conf = machine.read(target).value_or("");
  }
  facts.resolver = resolver_of(machine, facts);
  facts.writer = writer_of(facts);
  if (facts.resolver == Resolver::resolved) look_at_resolved(machine, facts);
  facts.docker = has_docker(machine);
  if (facts.docker && machine.is_this_one()) facts.docker_flag = docker_flag();
  return facts;
}

}  // namespace devstack::host
