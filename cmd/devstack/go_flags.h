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

/// `exec -T web ls -l` with "--" behind the first word that is no flag (nor a flag's value) after arguments[place]:
/// what comes then belongs to the command that is run. Pure.
std::vector<std::string> with_command_apart(std::vector<std::string> arguments, std::size_t place,
                                            const CLI::App& command);

}  // namespace devstack
