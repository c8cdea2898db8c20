// Bodies of the API's writes. The first byte says of which; what it wrote is then read back by every listing.
#include <boost/json.hpp>

#include "core/api/api.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/registry.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;

struct Write {
  const char* method;
  const char* target;
};
constexpr Write writes[] = {
    {"PUT", "/v1/agent/service/register"},
    {"PUT", "/v1/agent/check/register"},
    {"PUT", "/v1/catalog/register"},
    {"PUT", "/v1/catalog/deregister"},
    {"PUT", "/v1/txn"},
    {"PUT", "/v1/session/create"},
    {"POST", "/v1/query"},
    {"PUT", "/v1/agent/check/update/serfHealth"},
    {"PUT", "/v1/event/fire/e"},
    {"PUT", "/v1/kv/a%00b/%FF"},
    {"PUT", "/v1/coordinate/update"},
};
constexpr const char* reads[] = {
    "/v1/agent/services",
    "/v1/agent/checks",
    "/v1/catalog/services",
    "/v1/catalog/nodes",
    "/v1/catalog/service/web",
    "/v1/health/service/web",
    "/v1/health/state/any",
    "/v1/kv/?recurse",
    "/v1/session/list",
    "/v1/query",
    "/v1/event/list",
    "/v1/internal/ui/services",
    "/v1/internal/ui/nodes",
    "/v1/catalog/node/node1",
    "/v1/health/node/node1?pretty",
    "/v1/agent/service/web",
    "/v1/query/name/execute",
    "/v1/health/checks/web",
    "/v1/kv/?keys&separator=/",
    "/v1/agent/self",
    "/v1/agent/health/service/name/web",
    "/v1/agent/health/service/id/web",
};

http::Response call(api::Api& api, std::string method, std::string target, std::string body) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  return fuzz::finish(api.handle(std::move(request)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const auto& write = writes[data[0] % std::size(writes)];
  const std::string body(fuzz::text_of(data, size).substr(1));
  fuzz::MemoryRegistry registry;
  api::Api api(registry, registry);
  for (int twice = 0; twice < 2; ++twice) {
    const auto before = registry.snapshot()->index();
    const auto written = call(api, write.method, write.target, body);
    require(written.status != 501, "every write is built", write.target);
    if (written.status >= 400 && write.target != writes[0].target) {
      require(registry.snapshot()->index() == before, "an error leaves everything as it was", body);
    }
  }
  for (const auto* target : reads) {
    const auto read = call(api, "GET", target, {});
    if (read.headers.get("Content-Type").value_or("") != "application/json") continue;
    boost::system::error_code error;
    (void)boost::json::parse(read.body, error);
    require(!error, "a JSON answer is JSON", std::string(target) + "\n" + error.message() + "\n" + read.body);
  }
  registry.require_restorable();
  return 0;
}
