#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "cmd/devstack/consul_client.h"

/// Consul's blocking queries as a loop: ask, show, ask again with the index of the last answer, which the server holds
/// back until there is something new. https://developer.hashicorp.com/consul/api-docs/features/blocking
namespace devstack {

/// The index to ask with next. 0 (everything, at once) when it went backwards: the server lost its state; never 0
/// otherwise, which would spin. Pure.
std::uint64_t next_index(std::uint64_t asked, std::uint64_t answered);

/// How long to wait before the n-th retry in a row (from 1): 100 ms, doubling, at most 5 s. Pure.
std::chrono::milliseconds retry_after(int failures);

/// Shows an answer; an error ends the loop.
using OnAnswer = std::function<Result<void>(const ConsulAnswer&)>;

/// Follows GET `target` until SIGINT or SIGTERM, which is how it is ended: exit code 0. A server that goes away is said
/// once on standard error and asked again until it is back; one that was never there, or refuses, is an error. The same
/// answer may be shown twice: `on_answer` knows what it has shown.
int run_following(ConsulOptions options, std::string target, OnAnswer on_answer);

}  // namespace devstack
