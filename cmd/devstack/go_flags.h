#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>
#include <vector>

/// Commands that have a namesake among Consul's programs take its flags as it writes them. Pure.
namespace devstack {

/// "json", "file": the long flags of a command itself.
std::set<std::string> long_flags_here(const CLI::App& command);
/// "recurse", "http-addr": those of a command and its subcommands.
std::set<std::string> long_flags(const CLI::App& command);

/// The same arguments with two dashes where a known long flag has one (`-recurse`, `-modify-index=3`), and with "--"
/// before the first that looks like a negative number, which is data.
std::vector<std::string> with_two_dashes(const std::vector<std::string>& arguments, const std::set<std::string>& known);

}  // namespace devstack
