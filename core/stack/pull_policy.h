#pragma once

#include <chrono>
#include <optional>
#include <string_view>

/// `pull_policy` of a service. https://docs.docker.com/reference/compose-file/services/#pull_policy Pure; any thread.
namespace devstack::stack {

/// How old an image may be before it is pulled again, for daily, weekly and every_<span>, whose units are w, d, h, m
/// and s ("every_1d12h"); nothing for other policies, and for what is no policy.
std::optional<std::chrono::seconds> pull_age(std::string_view policy);

}  // namespace devstack::stack
