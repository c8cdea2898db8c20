#include "core/ui/access.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <random>

#include "core/base/ascii.h"

namespace devstack::ui {

namespace asio = boost::asio;

namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_literal(const std::string& host) {
  boost::system::error_code wrong;
  asio::ip::make_address(host, wrong);
  return !wrong;
}

/// In time that does not depend on where the difference is.
bool same_secret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const auto mine = static_cast<unsigned char>(secret[i]);
    const auto theirs = i < given.size() ? static_cast<unsigned char>(given[i]) : 0U;
    difference |= mine ^ theirs;
  }
  return difference == 0;
}

/// The authority of "http://host:port"; nothing for "null" and other schemes.
std::optional<std::string_view> authority_of_origin(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> host_of(std::string_view authority) {
  if (authority.empty()) return std::nullopt;
  if (authority.front() == '[') {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const auto rest = authority.substr(close + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    return to_lower(authority.substr(1, close - 1));
  }
  const auto colon = authority.find(':');
  if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1))) return std::nullopt;
  auto host = to_lower(authority.substr(0, colon));
  if (host.ends_with('.')) host.pop_back();
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  if (host.empty() || host.find_first_not_of(kAllowed) != std::string::npos) return std::nullopt;
  return host;
}

AccessPolicy::AccessPolicy(const std::vector<std::string>& addresses, std::vector<std::string> names, std::string token)
    : hosts_(std::move(names)), token_(std::move(token)) {
  for (auto& name : hosts_) name = to_lower(name);
  for (const char* host : {"localhost", "127.0.0.1", "::1", "ui.localhost"}) hosts_.emplace_back(host);
  for (const auto& address : addresses) {
    if (address == "0.0.0.0" || address == "::") any_literal_ = true;
    hosts_.push_back(to_lower(address));
  }
}

bool AccessPolicy::host_allowed(std::string_view host_header) const {
  const auto host = host_of(host_header);
  if (!host) return false;
  if (std::find(hosts_.begin(), hosts_.end(), *host) != hosts_.end()) return true;
  return any_literal_ && is_literal(*host);
}

Result<void> AccessPolicy::may_read(const http::Request& request) const {
  const auto host = request.headers.get("Host");
  if (host && host_allowed(*host)) return {};
  return fail(Errc::permission, "this page answers only as localhost, not as \"{}\"", host.value_or(""));
}

Result<void> AccessPolicy::may_change(const http::Request& request) const {
  CHECK(may_read(request));
  if (const auto origin = request.headers.get("Origin")) {
    const auto authority = authority_of_origin(*origin);
    if (!authority || to_lower(*authority) != to_lower(*request.headers.get("Host"))) {
      return fail(Errc::permission, "changes are accepted only from the status page itself, not from \"{}\"", *origin);
    }
  }
  if (same_secret(request.headers.get("X-Devstack-Token").value_or(""), token_)) return {};
  return fail(Errc::permission, "the page is older than the running devstack: reload it");
}

std::string random_token() {
  std::random_device source;
  std::string out;
  for (int i = 0; i < 4; ++i) out += fmt::format("{:08x}", source());
  return out;
}

}  // namespace devstack::ui
