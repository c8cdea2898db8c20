#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async/component.h"
#include "core/base/async/task_group.h"
#include "core/dns/answer.h"
#include "core/dns/exchange.h"
#include "core/dns/journal.h"
#include "core/registry/registry.h"

namespace devstack::dns {

/// The DNS server's configuration, as the stack file says it.
struct DnsOptions {
  /// The first is Consul's ("NAME.service.consul"); in the others NAME.test works as well.
  std::vector<std::string> domains{"consul"};
  std::string datacenter = "dc1";
  std::string node;     ///< the registry's own
  RecordTexts records;  ///< fixed answers, beside those of set_records()
  /// Who answers for the rest: addresses ("10.0.0.1", "10.0.0.1:5353") or "auto", the machine's own. Empty: REFUSED.
  std::vector<std::string> recursors;
  /// Who answers for the names in a domain, before the recursors: domain to addresses; none: NXDOMAIN, asking nobody.
  std::map<std::string, std::vector<std::string>> servers;
  std::chrono::milliseconds recursor_timeout{2000};  ///< per server asked
  /// Threads that answer, each with sockets of its own for every endpoint (SO_REUSEPORT): worker.h says who does what.
  /// 0: default_workers().
  int workers = 0;
  bool random_case = false;  ///< harder to forge replies to ("0x20"): UpstreamSettings
  /// Where to listen, UDP and TCP. Port 0 takes a free one, the same for both.
  std::vector<Endpoint> endpoints;
  std::string port_setting = "dns.port";  ///< the key that an error about a port names

  std::chrono::seconds node_ttl{0};
  std::map<std::string, std::chrono::seconds> service_ttl;  ///< by name, "prefix*" or "*"
  bool only_passing = false;
  int udp_answer_limit = 3;
  int a_record_limit = 0;
  bool node_meta_txt = true;
};

/// One on up to two cores, else half of them and four at most: the containers that ask need cores, too.
int default_workers(unsigned cores);

/// Errc::invalid_argument names the domain, record or recursor that is wrong.
Result<AnswerOptions> answer_options(const DnsOptions& options);

/// The DNS server as a component: UDP and TCP on every endpoint, on threads of its own, from snapshots of `view`.
/// All methods on the loop. `view` outlives it. stop() before destruction.
class DnsServer final : public Component {
 public:
  DnsServer(asio::any_io_executor loop, const registry::RegistryView& view, DnsOptions options);
  ~DnsServer() override;

  [[nodiscard]] std::string_view name() const override { return "dns"; }
  [[nodiscard]] std::vector<std::string> after() const override { return {"registry"}; }
  /// Errc::port_taken (with the holder) or Errc::permission when one of the endpoints cannot be had.
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  /// Addresses like "172.17.0.1:53"; what it answers for and how many questions it had; degraded when an endpoint that
  /// was asked for later could not be had.
  [[nodiscard]] ComponentReport report() const override;

  /// Listens exactly there from now on: binds what is new, closes what is gone, leaves the others alone. Returns before
  /// it is done; on_change tells. Before start() it says what start() will bind.
  void set_endpoints(std::vector<Endpoint> endpoints);
  /// Where it listens now, ports filled in.
  [[nodiscard]] std::vector<Endpoint> endpoints() const { return bound_; }

  /// Errc::conflict when another project has one of the names, Errc::invalid_argument for what can be no record.
  [[nodiscard]] Result<void> fits(const std::string& project, const RecordTexts& records) const;
  /// Fixed answers of a project, which fit(), from the next question on; none takes them away. Kept over stop() and
  /// start().
  void set_records(const std::string& project, const RecordTexts& records);

  /// The last questions and their answers, of all workers. This and the counts are kept over stop() and start().
  [[nodiscard]] const QueryLog& log() const { return *log_; }
  [[nodiscard]] DnsCounters counters() const;
  [[nodiscard]] std::vector<DnsCounters> counters_by_worker() const;
  /// The names asked for most.
  [[nodiscard]] std::vector<NameCount> names(std::size_t most) const;

  enum class Kind {
    own,      ///< answers of the registry's and the fixed records' names
    reverse,  ///< answers to questions for the name of an address
  };
  struct Latency {
    Times finished;  ///< the last whole interval's (QueryTimes::interval_s)
    Times total;     ///< since the start
  };
  [[nodiscard]] Latency latency(Kind kind) const;

 private:
  struct Running;
  static asio::awaitable<void> rebind(DnsServer* self);
  Result<void> make_workers();

  asio::any_io_executor loop_;
  const registry::RegistryView& view_;
  DnsOptions options_;
  RecordBook records_;
  std::unique_ptr<QueryLog> log_ = std::make_unique<QueryLog>();
  std::vector<std::unique_ptr<Journal>> journals_;  // each written by its worker
  std::unique_ptr<Running> running_;
  std::vector<Endpoint> bound_;
  std::vector<std::string> problems_;
};

}  // namespace devstack::dns
