#include <charconv>

#include "core/http/client.h"

namespace devstack::http {
namespace {

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 && value <= 65535;
}

}  // namespace

Result<Target> Target::parse(std::string_view uri) {
  const auto bad = [uri](std::string_view why) {
    return fail(Errc::invalid_argument, "\"{}\" is not an address to connect to: {}", uri, why);
  };
  if (uri.starts_with("unix://")) {
    const auto path = uri.substr(7);
    if (!path.starts_with('/')) return bad("a unix socket's path is absolute, as in unix:///var/run/docker.sock");
    return unix_socket(std::string(path));
  }
  std::string_view rest = uri;
  std::string_view port = "80";
  bool tls = false;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("tcp://")) {
    rest.remove_prefix(6);
    port = "2375";
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
    port = "443";
    tls = true;
  } else if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    return bad("the schemes are unix, http, https and tcp");
  }
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    if (slash + 1 != rest.size()) return bad("a path is not expected here");
    rest = rest.substr(0, slash);
  }
  std::string_view host = rest;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return bad("']' is missing");
    host = rest.substr(1, close - 1);
    rest = rest.substr(close + 1);
    if (rest.starts_with(':')) {
      port = rest.substr(1);
    } else if (!rest.empty()) {
      return bad("a port comes after ']'");
    }
  } else if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
  }
  if (host.empty()) return bad("the host is missing");
  if (host.find_first_of(" \t\r\n@") != std::string_view::npos) return bad("the host holds a forbidden character");
  if (!is_port(port)) return bad("the port is a number from 1 to 65535");
  Target target;
  target.host = host;
  target.port = port;
  target.tls = tls;
  return target;
}

Target Target::unix_socket(std::string path) {
  Target target;
  target.unix_path = std::move(path);
  return target;
}

std::string Target::to_string() const {
  if (!unix_path.empty()) return "unix://" + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

}  // namespace devstack::http
