#include "core/dns/recursors.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace devstack::dns {
namespace {

constexpr std::uint16_t dns_port = 53;

std::optional<Endpoint> endpoint(std::string_view address, std::string_view port) {
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  std::uint16_t number = dns_port;
  if (!port.empty()) {
    const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (bad != std::errc() || end != port.data() + port.size() || number == 0) return std::nullopt;
  }
  if (error) return std::nullopt;
  return Endpoint(parsed, number);
}

std::string_view take_word(std::string_view& line) {
  const auto start = std::min(line.find_first_not_of(" \t\r"), line.size());
  const auto end = std::min(line.find_first_of(" \t\r", start), line.size());
  const auto word = line.substr(start, end - start);
  line.remove_prefix(end);
  return word;
}

}  // namespace

std::vector<Endpoint> parse_resolv_conf(std::string_view text) {
  std::vector<Endpoint> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (take_word(line) != "nameserver") continue;
    const auto found = endpoint(take_word(line), "");
    if (found && std::find(out.begin(), out.end(), *found) == out.end()) out.push_back(*found);
  }
  return out;
}

Result<Endpoint> parse_recursor(std::string_view text) {
  std::optional<Endpoint> found;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    const auto rest = close == std::string_view::npos ? std::string_view("?") : text.substr(close + 1);
    if (rest.empty()) found = endpoint(text.substr(1, close - 1), "");
    if (rest.size() > 1 && rest.front() == ':') found = endpoint(text.substr(1, close - 1), rest.substr(1));
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const auto colon = text.find(':');
    if (colon + 1 < text.size()) found = endpoint(text.substr(0, colon), text.substr(colon + 1));
  } else {
    found = endpoint(text, "");
  }
  if (found) return *found;
  return fail(Errc::invalid_argument, "recursor \"{}\" is no address: write 10.0.0.1, 10.0.0.1:5353 or auto", text);
}

std::vector<std::filesystem::path> Recursors::system_files() {
  return {"/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf", "/etc/resolv.conf"};
}

Result<Recursors> Recursors::parse(const std::vector<std::string>& entries, std::vector<std::filesystem::path> files) {
  Recursors out;
  out.files_ = std::move(files);
  for (const auto& entry : entries) {
    if (entry == "auto") {
      out.automatic_ = true;
      continue;
    }
    TRY(const auto one, parse_recursor(entry));
    if (std::find(out.fixed_.begin(), out.fixed_.end(), one) == out.fixed_.end()) out.fixed_.push_back(one);
  }
  return out;
}

std::vector<Endpoint> Recursors::current(const std::function<bool(const Endpoint&)>& own) {
  if (automatic_) reread();
  std::vector<Endpoint> out = fixed_;
  out.insert(out.end(), found_.begin(), found_.end());
  std::erase_if(out, own);
  return out;
}

void Recursors::reread() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + std::chrono::seconds(1);
  for (const auto& file : files_) {
    std::error_code error;
    const auto version = std::filesystem::last_write_time(file, error);
    if (error) continue;
    if (file == read_from_ && version == read_version_) return;
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    auto found = parse_resolv_conf(text);
    // A manager of networks that manages none here has a file without servers.
    if (found.empty()) continue;
    found_ = std::move(found);
    read_from_ = file;
    read_version_ = version;
    return;
  }
  found_.clear();
  read_from_.clear();
}

Result<DomainServers> DomainServers::parse(const std::map<std::string, std::vector<std::string>>& entries) {
  DomainServers out;
  for (const auto& [domain, servers] : entries) {
    const auto name = Name::parse(domain);
    if (!name) return fail(Errc::invalid_argument, "dns servers of \"{}\": {}", domain, name.error().message);
    auto& into = out.by_domain_[std::string(name->lowered().wire())];
    for (const auto& server : servers) {
      TRY(const auto one, parse_recursor(server));
      if (std::find(into.begin(), into.end(), one) == into.end()) into.push_back(one);
    }
  }
  return out;
}

const std::vector<Endpoint>* DomainServers::find(const Name& name) const {
  if (by_domain_.empty()) return nullptr;
  const Name lowered = name.lowered();
  for (std::string_view wire = lowered.wire();; wire.remove_prefix(1U + static_cast<unsigned char>(wire.front()))) {
    const auto found = by_domain_.find(wire);
    if (found != by_domain_.end()) return &found->second;
    if (wire.size() == 1) return nullptr;
  }
}

}  // namespace devstack::dns
