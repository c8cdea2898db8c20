#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/process/child.h"
#include "core/proxy/haproxy_config.h"

/// What HAProxy's care leaves on disk. Loop thread: small files.
namespace devstack::proxy::haproxy {

Result<void> make_private_folder(const std::string& path);
Result<void> write_files(const std::vector<File>& files);
/// Makes `link` point to `target`, at once.
void point_to(const std::string& link, const std::string& target);

/// "pid start_time boot_id", one line.
Result<void> write_identity(const std::string& path, const process::Identity& identity);
std::optional<process::Identity> read_identity(const std::string& path);

std::uint64_t size_of(const std::string& path);
/// What was appended to a log since it had `from` bytes, the last 2 KiB of it.
std::string read_from(const std::string& path, std::uint64_t from);

}  // namespace devstack::proxy::haproxy
