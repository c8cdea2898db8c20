#include "core/api/paths.h"

#include <vector>

namespace devstack::api {

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> kept;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, slash - at);
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    at = slash + 1;
  }
  std::string out;
  for (const auto segment : kept) out.append(1, '/').append(segment);
  // As Go: only a path that ends in a slash keeps one ("/a/." does not).
  if (out.empty() || (!path.empty() && path.back() == '/')) out += '/';
  return out;
}

}  // namespace devstack::api
