#include "core/docker/frames.h"

#include <algorithm>

namespace devstack::docker {

Result<void> LogDemultiplexer::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto piece = bytes.substr(0, payload_left_);
      sink_(stream_, piece);
      payload_left_ -= piece.size();
      bytes.remove_prefix(piece.size());
      continue;
    }
    const auto count = std::min(bytes.size(), header_.size() - header_have_);
    std::copy_n(bytes.begin(), count, header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
    header_have_ += count;
    bytes.remove_prefix(count);
    if (header_have_ < header_.size()) break;
    header_have_ = 0;
    if (header_[0] > 3 || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
      return fail(Errc::parse, "the engine's log stream is not framed as expected");
    }
    // 0 is standard input echoed, 3 an error of the engine itself.
    stream_ = header_[0] >= 2 ? LogStream::err : LogStream::out;
    payload_left_ = (std::size_t{header_[4]} << 24U) | (std::size_t{header_[5]} << 16U) |
                    (std::size_t{header_[6]} << 8U) | std::size_t{header_[7]};
  }
  return {};
}

Result<void> JsonSplitter::feed(std::string_view bytes) {
  const auto check_size = [this](std::size_t size) -> Result<void> {
    if (size <= object_most_) return {};
    return fail(Errc::too_large, "an object of the engine's stream is larger than {} bytes", object_most_);
  };
  std::size_t start = 0;  // of the current object's part in `bytes`
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (depth_ == 0) {
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
      if (c != '{') return fail(Errc::parse, "the engine's stream holds something that is not a JSON object");
      depth_ = 1;
      start = i;
    } else if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      const auto piece = bytes.substr(start, i + 1 - start);
      CHECK(check_size(partial_.size() + piece.size()));
      if (partial_.empty()) {
        sink_(piece);
      } else {
        partial_.append(piece);
        const std::string whole = std::move(partial_);
        partial_.clear();
        sink_(whole);
      }
      start = i + 1;
    }
  }
  if (depth_ > 0) partial_.append(bytes.substr(start));
  return check_size(partial_.size());
}

}  // namespace devstack::docker
