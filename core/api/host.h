#pragma once

#include <string>
#include <string_view>

#include "core/api/json_writer.h"

/// GET /v1/agent/host: this machine, in the fields of the gopsutil library, which Consul shows as they are. The texts
/// of proc(5) come in, JSON goes out. Private to the room.
/// https://developer.hashicorp.com/consul/api-docs/agent#retrieve-host-information
namespace devstack::api {

/// /proc/meminfo; sizes in bytes, pages of hugetlb as they are counted there. Pure.
void write_memory(JsonWriter& out, std::string_view meminfo);
/// /proc/cpuinfo: one object a logical processor. Pure.
void write_processors(JsonWriter& out, std::string_view cpuinfo);
/// uname(2), /proc/uptime and /etc/os-release.
void write_host(JsonWriter& out);
/// The file system that holds `path`: statvfs(3); null when it cannot be asked.
void write_disk(JsonWriter& out, const std::string& path);

}  // namespace devstack::api
