// What an answer costs without its sockets, in nanoseconds of this thread's processor time: one that was given before,
// one made anew, and of these what the query log and the counters take.  usage: dns_parts [NAMES]
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "core/dns/responder.h"
#include "core/dns/server.h"

namespace {

using namespace devstack;
using namespace devstack::dns;

/// Services web0, web1, … of one instance.
class View final : public registry::RegistryView {
 public:
  explicit View(int names) {
    registry::State state;
    registry::RegisterCommand command;
    for (int i = 0; i < names; ++i) {
      command.node.name = "n1";
      command.node.address = "127.0.0.1";
      registry::Service service;
      service.id = service.name = fmt::format("web{}", i);
      service.address = "10.0.0.1";
      service.port = 80;
      command.service = service;
      if (auto next = state.apply(registry::Command(command))) state = next->state;
    }
    state_ = std::make_shared<const registry::State>(std::move(state));
  }
  [[nodiscard]] std::shared_ptr<const registry::State> snapshot() const override { return state_; }
  [[nodiscard]] bool synced() const override { return true; }
  asio::awaitable<bool> wait(std::vector<registry::Watch>, registry::Index,
                             std::chrono::steady_clock::time_point) override {
    co_return false;
  }

 private:
  std::shared_ptr<const registry::State> state_;
};

double processor_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// The least of several rounds: the others met a neighbour's work.
template <class Work>
void row(const char* what, Work work) {
  constexpr int rounds = 9;
  constexpr int count = 200'000;
  double least = 1e18;
  for (int round = 0; round < rounds; ++round) {
    const double began = processor_ns();
    for (int i = 0; i < count; ++i) work(i);
    least = std::min(least, (processor_ns() - began) / count);
  }
  fmt::print("{:44} {:7.0f} ns\n", what, least);
}

}  // namespace

int main(int argc, char** argv) {
  const int names = argc > 1 ? std::atoi(argv[1]) : 200;
  asio::io_context io;
  const View view(names);
  QueryLog log;
  Journal journal(log);
  const RecordBook records;
  Responder responder(io.get_executor(), view, records, answer_options({}).value(), std::nullopt, journal);
  responder.refresh();
  std::vector<std::vector<std::uint8_t>> requests;
  for (int i = 0; i < names; ++i) {
    Message query;
    query.questions.push_back({Name::parse(fmt::format("web{}.service.consul", i)).value(), Type::a, class_in});
    requests.push_back(encode(query));
  }
  const auto nth = [&](int i) -> Bytes { return requests[static_cast<std::size_t>(i) % requests.size()]; };
  std::vector<std::uint8_t> out(max_message_bytes);
  const auto client = asio::ip::make_address("127.0.0.1");
  row("answer given before", [&](int i) { responder.begin(nth(i), {client, net::Transport::udp}, out); });
  row("answer made anew", [&](int i) { responder.begin(nth(i), {client, net::Transport::tcp}, out); });
  const auto name = Name::parse("web1.service.consul").value();
  const QueryNote note{1'700'000'000'000'000, 5, client, name.wire(), Type::a, Rcode::noerror, Source::registry};
  NameCounters::Place place;
  row("of it: log and counters", [&](int) { journal.note(note, place); });
  row("  the log alone", [&](int) { log.add(note); });
  row("  counting a name whose place is not known",
      [&](int) { journal.names.raise(name.wire(), Rcode::noerror, true); });
  row("  reading the clock", [&](int) { static_cast<void>(std::chrono::steady_clock::now()); });
  return 0;
}
