#include "core/health/redirect.h"

#include <algorithm>
#include <boost/url.hpp>
#include <cctype>

#include "core/base/ascii.h"
#include "core/base/base64.h"

namespace devstack::health {
namespace {

namespace urls = boost::urls;

/// Go takes bytes in a path or query that RFC 3986 wants escaped, and escapes them itself.
std::string escaped(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  static constexpr std::string_view allowed = "-._~:/?#[]@!$&'()*+,;=%";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || allowed.find(c) != std::string_view::npos)) {
      out.push_back(c);
    } else {
      out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
    }
  }
  return out;
}

/// What stands where a port does; Boost.URL ends an authority before a port that is no number and calls it a path.
std::string_view port_text(std::string_view url) {
  const auto slashes = url.find("//");
  if (slashes == std::string_view::npos || (slashes > 0 && url[slashes - 1] != ':')) return {};
  auto authority = url.substr(slashes + 2);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  authority = authority.substr(authority.rfind('@') + 1);  // npos + 1 is 0
  const auto colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  return colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
}

Result<urls::url> parse_url(const std::string& text) {
  const bool control = std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control) return fail(Errc::parse, "parse \"{}\": net/url: invalid control character in URL", text);
  const auto taken = escaped(text);
  const auto parsed = urls::parse_uri_reference(taken);
  if (!parsed) return fail(Errc::parse, "parse \"{}\": invalid URL", text);
  if (const auto port = port_text(taken); port.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(Errc::parse, "parse \"{}\": invalid port \":{}\" after host", text, port);
  }
  return urls::url(*parsed);
}

http::Headers headers_of(const HttpStep& step, const urls::url& url, const registry::CheckDefinition& definition,
                         bool foreign) {
  http::Headers headers;
  headers.set("Host", step.host_header.empty() ? std::string(url.encoded_host_and_port()) : step.host_header);
  for (const auto& [name, values] : definition.header) {
    if (equal_ignoring_case(name, "Host")) continue;
    if (foreign && (equal_ignoring_case(name, "Authorization") || equal_ignoring_case(name, "Cookie"))) continue;
    for (const auto& value : values) headers.add(name, value);
  }
  if (!headers.get("User-Agent")) headers.set("User-Agent", "Consul Health Check");
  if (!headers.get("Accept")) headers.set("Accept", "text/plain, text/*, */*");
  if (url.has_userinfo() && !headers.get("Authorization")) {
    headers.set("Authorization", "Basic " + encode_base64(url.user() + ":" + url.password()));
  }
  return headers;
}

}  // namespace

HttpStep first_step(const registry::CheckDefinition& definition) {
  HttpStep step;
  step.method = definition.method.empty() ? "GET" : definition.method;
  step.url = definition.http;
  step.body = definition.body;
  for (const auto& [name, values] : definition.header) {
    if (equal_ignoring_case(name, "Host") && !values.empty()) step.host_header = values.front();
  }
  return step;
}

Result<std::optional<HttpStep>> next_step(const HttpStep& step, int status, std::string_view location) {
  const bool rewrites = status == 301 || status == 302 || status == 303;
  if ((!rewrites && status != 307 && status != 308) || location.empty()) return std::nullopt;
  TRY(const auto base, parse_url(step.url));
  const auto wanted = parse_url(std::string(location));
  if (!wanted) {
    return fail(Errc::parse, "failed to parse Location header \"{}\": {}", location, wanted.error().message);
  }
  urls::url target;
  if (!urls::resolve(base, *wanted, target)) {
    return fail(Errc::parse, "failed to parse Location header \"{}\": invalid URL", location);
  }
  HttpStep next = step;
  next.url = std::string(target.buffer());
  if (wanted->has_scheme()) next.host_header.clear();
  if (rewrites && step.method != "GET" && step.method != "HEAD") next.method = "GET";
  if (rewrites) next.body.clear();
  return next;
}

Result<HttpCall> call_of(const HttpStep& step, const registry::CheckDefinition& definition, bool foreign) {
  TRY(const auto url, parse_url(step.url));
  const bool tls = url.scheme() == "https";
  if (!tls && url.scheme() != "http") {
    return fail(Errc::invalid_argument, "unsupported protocol scheme \"{}\"", std::string(url.scheme()));
  }
  HttpCall call;
  call.target.host = url.host_type() == urls::host_type::ipv6 ? std::string(url.host_address()) : url.host();
  if (call.target.host.empty()) return fail(Errc::invalid_argument, "http: no Host in request URL");
  call.target.port = url.port().empty() ? (tls ? "443" : "80") : std::string(url.port());
  call.target.tls = tls;
  call.target.tls_verify = !definition.tls_skip_verify;
  call.target.tls_server_name = definition.tls_server_name.empty() ? call.target.host : definition.tls_server_name;
  call.request.method = step.method;
  call.request.target = url.encoded_path().empty() ? "/" : std::string(url.encoded_path());
  if (url.has_query()) call.request.target += "?" + std::string(url.encoded_query());
  call.request.headers = headers_of(step, url, definition, foreign);
  call.request.body = step.body;
  return call;
}

std::string host_of(const std::string& url) {
  const auto parsed = parse_url(url);
  return parsed ? std::string(parsed->encoded_host()) : std::string();
}

std::string url_error(const std::string& method, const std::string& url, std::string_view why) {
  std::string word = to_lower(method);
  if (!word.empty()) word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  std::string shown = url;
  if (auto parsed = parse_url(url); parsed && parsed->has_password()) {
    parsed->set_encoded_password("***");
    shown = std::string(parsed->buffer());
  }
  return fmt::format("{} \"{}\": {}", word, shown, why);
}

}  // namespace devstack::health
