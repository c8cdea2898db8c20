// What one change and one lookup of the registry's State cost, small and large: no I/O, no HTTP. Each size is measured
// several times, sizes in turn, and the least processor time counts (the machine is shared). The ratio is large over
// small. usage: state_growth [ROUNDS]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/registry/state.h"

namespace {

using namespace devstack::registry;
using Watch = devstack::registry::Watch;

std::string name_of(int i) { return fmt::format("service-number-{}", i); }
std::string key_of(int i) { return fmt::format("app/config/section-{}/key-{}", i % 100, i); }

void change(State& state, const Command& command) {
  auto applied = state.apply(command);
  if (!applied) std::abort();
  state = std::move(applied->state);
}

RegisterCommand registration(int i, int port) {
  RegisterCommand command;
  command.node.name = "laptop";
  command.node.address = "10.0.0.1";
  command.skip_node_update = true;
  command.service.emplace();
  command.service->name = name_of(i);
  command.service->id = name_of(i) + "-1";
  command.service->address = "10.1.2.3";
  command.service->port = port;
  Check check;
  check.id = "service:" + command.service->id;
  check.name = "alive";
  check.status = status::passing;
  check.service_id = command.service->id;
  command.checks.push_back(std::move(check));
  return command;
}

KvSetCommand write_of(int i, std::string value) {
  KvSetCommand command;
  command.key = key_of(i);
  command.value = std::move(value);
  return command;
}

State with_instances(int count) {
  State state;
  for (int i = 0; i < count; ++i) change(state, registration(i, 80));
  return state;
}
State with_keys(int count) {
  State state;
  for (int i = 0; i < count; ++i) change(state, write_of(i, "value"));
  return state;
}

/// Of this thread: what other programs take meanwhile does not count.
double cpu_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Nanoseconds of processor a call of `step(i)`, with i at random below `count`.
double cost(int count, int calls, const std::function<void(int)>& step) {
  std::minstd_rand random(1);
  const double began = cpu_nanoseconds();
  for (int call = 0; call < calls; ++call) step(static_cast<int>(random() % static_cast<unsigned>(count)));
  return (cpu_nanoseconds() - began) / calls;
}

struct Subject {
  int count;
  State state;
};
using Step = void (*)(State&, int);

void compare(const char* what, std::vector<Subject>& subjects, int rounds, int calls, Step step) {
  std::vector<double> best(subjects.size(), std::numeric_limits<double>::max());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t s = 0; s < subjects.size(); ++s) {
      auto& state = subjects[s].state;
      best[s] = std::min(best[s], cost(subjects[s].count, calls, [&](int i) { step(state, i); }));
    }
  }
  fmt::print("{:<34} {:>11.0f} ns {:>11.0f} ns   ratio {:.2f} ({} and {})\n", what, best.back(), best.front(),
             best.back() / best.front(), subjects.back().count, subjects.front().count);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  static int serial = 0;
  {
    std::vector<Subject> instances{{100, with_instances(100)}, {10000, with_instances(10000)}};
    compare("state: instances of a name", instances, rounds, 100000, [](State& state, int i) {
      if (state.instance_set(name_of(i))->size() != 1) std::abort();
    });
    compare("state: register an instance", instances, rounds, 20000,
            [](State& state, int i) { change(state, registration(i, 1 + ++serial % 60000)); });
    compare("state: update a check", instances, rounds, 20000, [](State& state, int i) {
      const auto* now = (++serial & 1) != 0 ? "warning" : "passing";
      change(state, UpdateCheckCommand{"laptop", "service:" + name_of(i) + "-1", now, std::to_string(serial)});
    });
  }
  std::vector<Subject> keys{{100, with_keys(100)}, {100000, with_keys(100000)}};
  compare("state: read a key", keys, rounds, 100000, [](State& state, int i) {
    if (!state.kv(key_of(i))) std::abort();
  });
  compare("state: index of a prefix", keys, rounds, 100000, [](State& state, int i) {
    if (state.kv_prefix_index(key_of(i)) == 0) std::abort();
  });
  compare("state: write a key", keys, rounds, 20000,
          [](State& state, int i) { change(state, write_of(i, std::to_string(++serial))); });
}
