// The Consul-compatible HTTP API over a registry in memory. The input is requests with a line `---` between them:
//
//     PUT /v1/kv/a?flags=3
//     Accept-Encoding: gzip
//
//     body
//
// `@session@` and `@query@` stand for the ids that the registry gave last.
#include <boost/json.hpp>

#include "core/api/api.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/registry.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;

constexpr std::size_t requests_most = 40;

void replace(std::string& text, std::string_view mark, const std::string& with) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + with.size())) {
    text.replace(at, mark.size(), with);
  }
}

std::string with_ids(std::string_view text, const registry::State& state) {
  std::string out(text);
  if (out.find('@') == std::string::npos) return out;
  if (const auto all = state.sessions(); !all.empty()) replace(out, "@session@", all.back()->id);
  if (const auto all = state.queries(); !all.empty()) replace(out, "@query@", all.back()->id);
  return out;
}

http::Request read_request(std::string_view text) {
  http::Request request;
  auto first = fuzz::take_until(text, "\n");
  request.method = fuzz::take_until(first, " ");
  request.target = first;
  while (!text.empty()) {
    auto line = fuzz::take_until(text, "\n");
    if (line.empty()) break;
    const auto name = fuzz::take_until(line, ": ");
    request.headers.add(std::string(name), std::string(line));
  }
  request.body = text;
  return request;
}

bool is_known(int status) {
  for (const int known : {200, 301, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 503}) {
    if (status == known) return true;
  }
  return false;
}

void check(const http::Response& response, const std::string& what) {
  require(is_known(response.status), "the status is one of the API's", what + " -> " + std::to_string(response.status));
  if (response.headers.get("Content-Type").value_or("") != "application/json") return;
  // A missing service is said in words, under the same type: Consul's own slip.
  if (what.find("format=text") != std::string::npos) return;
  if (response.headers.get("Content-Encoding") || response.body.empty()) return;
  boost::system::error_code error;
  (void)boost::json::parse(response.body, error);
  require(!error, "a JSON answer is JSON", what + "\n" + error.message() + "\n" + response.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 32768) return 0;
  auto rest = fuzz::text_of(data, size);
  fuzz::MemoryRegistry registry;
  api::Api api(registry, registry);
  for (std::size_t i = 0; i < requests_most && !rest.empty(); ++i) {
    const auto text = with_ids(fuzz::take_until(rest, "\n---\n"), *registry.snapshot());
    auto request = read_request(text);
    const auto before = registry.snapshot();
    const bool two_writes = request.target.starts_with("/v1/agent/service/");  // the service, then its sidecar
    const auto response = fuzz::finish(api.handle(std::move(request)));
    check(response, text);
    if (response.status >= 400 && !two_writes) {
      require(registry.snapshot()->index() == before->index(), "an error leaves everything as it was", text);
    }
  }
  registry.require_restorable();
  return 0;
}
