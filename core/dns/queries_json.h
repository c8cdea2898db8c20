#pragma once

#include <string>

#include "core/dns/server.h"

namespace devstack::dns {

/// What a page shows of the server:
///
///     {"next": N,                        pass it as `after` to get what comes then
///      "queries": [{"time" (Unix ms), "client", "name", "type", "code", "source", "us"}, …],   oldest first
///      "total": N, "codes": {"NOERROR": N, …}, "sources": {"registry": N, "cache": N, "stale": N, "upstream": N},
///      "names": [{"name", "total", "codes": {…}}, …],    those asked most, at most 50
///      "workers": [N, …]}                answers of each
///
/// Any thread.
std::string queries_json(const DnsServer& server, std::uint64_t after);

}  // namespace devstack::dns
