#pragma once

#include <string>
#include <string_view>

namespace devstack::api {

/// RFC 1952. Empty when zlib fails, which only a lack of memory makes it do, and for 2 GiB and more.
std::string gzip(std::string_view text);
/// True when an Accept-Encoding field takes gzip (RFC 9110 §12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace devstack::api
