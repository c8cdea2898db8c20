#pragma once

#include "core/dns/message.h"
#include "core/registry/types.h"

namespace devstack::dns {

/// A pair of a node's metadata as TXT data: `key=value` quoted as RFC 1464 says, or the value alone when the key begins
/// with "rfc1035-". Cut into strings of 255 bytes. Pure; any thread.
Txt node_meta_txt(std::string_view key, std::string_view value);

}  // namespace devstack::dns
