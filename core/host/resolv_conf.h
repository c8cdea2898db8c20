#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The text of resolv.conf(5). Pure.
namespace devstack::host {

/// The `nameserver` lines' addresses in order.
std::vector<std::string> nameservers(std::string_view text);

/// Whether `options` holds `name`.
bool has_option(std::string_view text, std::string_view name);

/// `text` with `address` asked first and everything else as it was; with `search` (if not "") added to the domains that
/// short names are tried in. What we add has a comment above it, by which a second edit finds and replaces it.
std::string point_at(std::string_view text, const std::string& address, const std::string& search);

}  // namespace devstack::host
