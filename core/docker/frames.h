#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/docker/client.h"

/// Taking apart the engine's byte streams. Pure: bytes come in pieces of any size, borders mean nothing.
namespace devstack::docker {

/// The output of a container without a tty: frames of an 8-byte header (stream 0-3, three zeros, size big-endian) and
/// payload (https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerAttach). Payload is handed on
/// as it arrives, never kept.
class LogDemultiplexer {
 public:
  using Sink = std::function<void(LogStream, std::string_view)>;
  explicit LogDemultiplexer(Sink sink) : sink_(std::move(sink)) {}
  /// Errc::parse when a header is not one; nothing after it is understood.
  Result<void> feed(std::string_view bytes);

 private:
  Sink sink_;
  std::array<unsigned char, 8> header_{};
  std::size_t header_have_ = 0;
  std::size_t payload_left_ = 0;
  LogStream stream_ = LogStream::out;
};

/// A stream of JSON objects, with or without line breaks between them, cut into whole objects.
class JsonSplitter {
 public:
  using Sink = std::function<void(std::string_view)>;
  explicit JsonSplitter(Sink sink, std::size_t object_most = 4U << 20U)
      : sink_(std::move(sink)), object_most_(object_most) {}
  /// Errc::parse when something other than an object or white space stands between objects, Errc::too_large for an
  /// object over the bound; the splitter is of no use afterwards.
  Result<void> feed(std::string_view bytes);

 private:
  Sink sink_;
  std::size_t object_most_;
  std::string partial_;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace devstack::docker
