#pragma once

#include <string>
#include <string_view>

#include "core/health/check_probe.h"
#include "core/health/h2_client.h"

/// gRPC's health checking protocol, the bytes and the words. Pure. Private to the room.
/// https://github.com/grpc/grpc/blob/master/doc/health-checking.md, .../PROTOCOL-HTTP2.md
namespace devstack::health {

/// "host:port" or "host:port/service".
struct GrpcTarget {
  std::string address, service;
};
GrpcTarget grpc_target(const std::string& text);

/// A HealthCheckRequest for `service` ("" asks for the whole server) as a gRPC message.
std::string health_request(std::string_view service);
/// What the answer means for a check of `target`, in grpc-go's words.
CheckResult health_result(const std::string& target, const H2Response& response);
/// `rpc error: code = Unavailable desc = why`.
std::string rpc_error(std::string_view code, std::string_view why);

}  // namespace devstack::health
