#include "core/net/port_holder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/net/proc_net.h"

namespace devstack::net {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::uint64_t> inodes_on(Transport transport, std::uint16_t port) {
  const std::string name = transport == Transport::tcp ? "tcp" : "udp";
  const auto state = transport == Transport::tcp ? SocketState::listening : SocketState::any;
  std::vector<std::uint64_t> out;
  for (const auto& table : {name, name + "6"}) {
    const auto found = socket_inodes(read_all("/proc/net/" + table), port, state);
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

bool holds_any(const fs::path& process, const std::vector<std::uint64_t>& inodes) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const auto inode = socket_inode(fs::read_symlink(at->path(), gone).string());
    if (inode && std::find(inodes.begin(), inodes.end(), *inode) != inodes.end()) return true;
  }
  return false;
}

std::string describe(const fs::path& process) {
  std::string name = read_all(process / "comm");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  if (name.empty()) name = "a program";
  const std::string pid = process.filename().string();
  if (name != "docker-proxy") return fmt::format("{} (pid {})", name, pid);
  const auto target = docker_proxy_target(read_all(process / "cmdline"));
  return fmt::format("container {} (docker-proxy, pid {})", target.empty() ? "of Docker" : target, pid);
}

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> listening_address(std::uint16_t port) {
  std::optional<std::string> found;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    for (auto& address : listening_addresses(read_all(table), port)) {
      if (address == "0.0.0.0" || address == "::") return "0.0.0.0";
      if (!found) found = std::move(address);
    }
  }
  return found;
}

std::string port_holder(Transport transport, std::uint16_t port) {
  const auto inodes = inodes_on(transport, port);
  if (inodes.empty()) return "another program";
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    if (is_number(at->path().filename().string()) && holds_any(at->path(), inodes)) return describe(at->path());
  }
  return "another program";
}

Error port_taken(Transport transport, std::string_view address, std::uint16_t port, std::string_view setting) {
  return {Errc::port_taken,
          fmt::format("port {}/{} on {} is taken by {}: stop it, or set {} in stack.yaml", port,
                      transport == Transport::tcp ? "tcp" : "udp", address, port_holder(transport, port), setting)};
}

}  // namespace devstack::net
