#include "core/health/grpc_health.h"

#include <array>
#include <charconv>
#include <optional>

#include "core/http/message.h"

namespace devstack::health {
namespace {

constexpr std::array<std::string_view, 17> codes{
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};
constexpr std::array<std::string_view, 4> statuses{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
constexpr std::uint64_t serving = 1;

std::string code_name(std::string_view number) {
  std::size_t value = codes.size();
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value < codes.size() ? std::string(codes[value]) : fmt::format("Code({})", number);
}

std::string_view code_of_http(std::string_view status) {
  if (status == "400") return "Internal";
  if (status == "401") return "Unauthenticated";
  if (status == "403") return "PermissionDenied";
  if (status == "404") return "Unimplemented";
  if (status == "429" || status == "502" || status == "503" || status == "504") return "Unavailable";
  return "Unknown";
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// Passes over a field that is not ours; false when the bytes are no message.
bool skip_field(std::string_view& in, std::uint64_t wire_type) {
  std::uint64_t size = 0;
  switch (wire_type) {
    case 0:
      return take_varint(in).has_value();
    case 1:
      size = 8;
      break;
    case 2:
      if (const auto length = take_varint(in)) {
        size = *length;
        break;
      }
      return false;
    case 5:
      size = 4;
      break;
    default:
      return false;
  }
  if (size > in.size()) return false;
  in.remove_prefix(size);
  return true;
}

/// Field 1, the status, of a HealthCheckResponse in its gRPC frame; UNKNOWN (0) when it is left out, as proto3 says.
std::optional<std::uint64_t> read_status(std::string_view body) {
  if (body.size() < 5 || body[0] != 0) return std::nullopt;  // a compressed answer was not asked for
  std::uint32_t length = 0;
  for (std::size_t i = 1; i < 5; ++i) length = length << 8U | static_cast<unsigned char>(body[i]);
  body.remove_prefix(5);
  if (length > body.size()) return std::nullopt;
  body = body.substr(0, length);
  std::uint64_t status = 0;
  while (!body.empty()) {
    const auto tag = take_varint(body);
    if (!tag) return std::nullopt;
    if (*tag == (1U << 3U)) {
      const auto value = take_varint(body);
      if (!value) return std::nullopt;
      status = *value;
    } else if (!skip_field(body, *tag & 7U)) {
      return std::nullopt;
    }
  }
  return status;
}

std::string text_of(const H2Response& response, const char* name) {
  const auto found = response.fields.find(name);
  return found == response.fields.end() ? std::string() : found->second;
}

/// Why the call failed; nothing when it did not.
std::optional<std::string> failure(const H2Response& response) {
  const auto http = text_of(response, ":status");
  const auto grpc = text_of(response, "grpc-status");
  if (!grpc.empty() && grpc != "0") {
    const auto message = text_of(response, "grpc-message");
    return rpc_error(code_name(grpc), http::decode_path(message).value_or(message));
  }
  if (!http.empty() && http != "200") {
    return rpc_error(code_of_http(http), "unexpected HTTP status code received from server: " + http);
  }
  if (response.reset != 0) {
    return rpc_error("Internal", fmt::format("stream terminated by RST_STREAM with error code: {}", response.reset));
  }
  if (grpc.empty()) return rpc_error("Internal", "server closed the stream without sending trailers");
  return std::nullopt;
}

}  // namespace

GrpcTarget grpc_target(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {text, ""};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string health_request(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message.push_back((1U << 3U) | 2U);
    append_varint(message, service.size());
    message.append(service);
  }
  std::string out(1, '\0');
  for (unsigned shift = 32; shift > 0; shift -= 8) out.push_back(static_cast<char>(message.size() >> (shift - 8)));
  return out + message;
}

std::string rpc_error(std::string_view code, std::string_view why) {
  return fmt::format("rpc error: code = {} desc = {}", code, why);
}

CheckResult health_result(const std::string& target, const H2Response& response) {
  if (auto failed = failure(response)) return critical(std::move(*failed));
  const auto status = read_status(response.body);
  if (!status) return critical(rpc_error("Internal", "the answer is not a HealthCheckResponse"));
  if (*status != serving) {
    const auto name = *status < statuses.size() ? std::string(statuses[*status]) : std::to_string(*status);
    return critical(fmt::format("gRPC {} serving status: {}", target, name));
  }
  CheckResult result;
  result.status = registry::status::passing;
  result.output = fmt::format("gRPC check {}: success", target);
  return result;
}

}  // namespace devstack::health
