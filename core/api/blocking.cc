#include "core/api/blocking.h"

#include <charconv>
#include <random>

#include "core/base/duration.h"

namespace devstack::api {
namespace {

constexpr std::chrono::minutes kDefaultWait{5};
constexpr std::chrono::minutes kLongestWait{10};

double jitter() {
  thread_local std::minstd_rand source{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(source);
}

Answer compute(const Route& route, const Call& call, const State& state) {
  Answer answer;
  route.read(call, state, answer);
  if (answer.index == 0) answer.index = 1;
  return answer;
}

}  // namespace

Result<ReadOptions> wait_options(const http::Query& query) {
  ReadOptions options;
  if (const auto wait = query.get("wait"); wait && !wait->empty()) {
    const auto parsed = parse_duration(*wait);
    if (!parsed) return fail(Errc::parse, "Invalid wait time");
    options.wait = *parsed;
  }
  if (const auto index = query.get("index"); index && !index->empty()) {
    const char* end = index->data() + index->size();
    const auto [at, error] = std::from_chars(index->data(), end, options.index);
    if (error != std::errc() || at != end) return fail(Errc::parse, "Invalid index");
  }
  return options;
}

Result<ReadOptions> read_options(const http::Query& query) {
  TRY(auto options, wait_options(query));
  const bool stale = query.has("stale");
  const bool consistent = query.has("consistent");
  if (stale && consistent) {
    return fail(Errc::parse, "Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
  if (consistent && query.has("cached")) {
    return fail(Errc::parse, "Cannot specify ?cached with ?consistent, conflicting semantics.");
  }
  if (const auto limit = query.get("max_stale"); limit && !limit->empty() && !parse_duration(*limit)) {
    return fail(Errc::parse, "Invalid max_stale value \"{}\"", *limit);
  }
  if (stale) options.consistency = Consistency::stale;
  if (consistent) options.consistency = Consistency::consistent;
  return options;
}

std::chrono::nanoseconds blocking_time(std::chrono::nanoseconds wait, double jitter_share) {
  if (wait.count() <= 0) wait = kDefaultWait;
  if (wait > kLongestWait) wait = kLongestWait;
  return wait +
         std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) / 16 * jitter_share));
}

asio::awaitable<Answer> answer_when_changed(const Route& route, const Call& call) {
  auto state = call.backend.view.snapshot();
  Answer answer = compute(route, call, *state);
  const Index seen = call.options.index;
  const Index restored_at = state->restored_at();
  if (seen == 0 || route.watches == nullptr || answer.final || answer.unblocked || answer.index > seen)
    co_return answer;
  const Blocked blocked(call.backend);
  if (!blocked.admitted()) {
    answer.refuse(429, std::string(Blocked::refusal));
    co_return answer;
  }
  const auto deadline = std::chrono::steady_clock::now() + blocking_time(call.options.wait, jitter());
  while (true) {
    std::vector<Watch> watches = route.watches(call);
    const bool changed = co_await call.backend.view.wait(std::move(watches), state->index(), deadline);
    if (!changed) co_return answer;
    state = call.backend.view.snapshot();
    const Index before = answer.index;
    answer = compute(route, call, *state);
    // Backwards: what was watched is gone and its index with it (a node); callers then start over from 0, as
    // documented. A restored snapshot releases even those who wait for an index that is yet to come.
    if (answer.final || answer.index > seen || answer.index < before || state->restored_at() != restored_at) {
      co_return answer;
    }
  }
}

}  // namespace devstack::api
