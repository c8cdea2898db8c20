#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/client.h"
#include "core/registry/types.h"

/// The requests of an HTTP check: the first, and those that follow redirects, as Go's net/http makes them. Pure.
/// Private to the room. https://pkg.go.dev/net/http#Client
namespace devstack::health {

constexpr int most_redirects = 10;

/// One request on its way; what a redirect changes.
struct HttpStep {
  std::string method;
  std::string url;
  std::string host_header;  ///< of the definition; "" means the URL's
  std::string body;
};
HttpStep first_step(const registry::CheckDefinition& definition);

/// Whether the answer leads elsewhere, and with which request: 301, 302 and 303 turn everything but GET and HEAD into a
/// GET without body, 307 and 308 repeat the request. Nothing when the answer is final. Errors: Go's words.
Result<std::optional<HttpStep>> next_step(const HttpStep& step, int status, std::string_view location);

/// Where it goes and what it says. The target's host is the URL's, a name or an address. `foreign` leaves out the
/// header fields that are nobody else's business (Authorization, Cookie). Errors: Go's words.
struct HttpCall {
  http::Target target;
  http::Request request;
};
Result<HttpCall> call_of(const HttpStep& step, const registry::CheckDefinition& definition, bool foreign);
/// The URL's host as written, for telling whether a redirect leaves it.
std::string host_of(const std::string& url);

/// `Get "http://user:***@host/": why`, as url.Error prints itself.
std::string url_error(const std::string& method, const std::string& url, std::string_view why);

}  // namespace devstack::health
