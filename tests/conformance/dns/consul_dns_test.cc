// Answers recorded from a real Consul 1.10 (tests/conformance/data/consul-dns.json), asked of our server over real
// sockets. Records are compared as sorted text, since the server shuffles them.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "core/dns/codec.h"
#include "core/dns/exchange.h"
#include "core/dns/server.h"
#include "core/registry/registry.h"
#include "tests/support/run.h"

namespace devstack::dns {
namespace {

namespace json = boost::json;

const json::object& recording() {
  static const json::object document = [] {
    std::ifstream in(DEVSTACK_SOURCE_DIR "/tests/conformance/data/consul-dns.json");
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return json::parse(text).as_object();
  }();
  return document;
}

std::string text_of(const json::object& from, const char* key) {
  const auto* value = from.if_contains(key);
  return value == nullptr ? std::string() : std::string(value->as_string());
}
int number_of(const json::object& from, const char* key, int otherwise) {
  const auto* value = from.if_contains(key);
  return value == nullptr ? otherwise : value->to_number<int>();
}
bool flag_of(const json::object& from, const char* key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

registry::Service service_of(const json::object& body, const char* name_key) {
  registry::Service service;
  service.id = text_of(body, "ID");
  service.name = text_of(body, name_key);
  service.address = text_of(body, "Address");
  service.port = number_of(body, "Port", 0);
  if (const auto* tags = body.if_contains("Tags")) {
    for (const auto& tag : tags->as_array()) service.tags.emplace_back(tag.as_string());
  }
  if (const auto* weights = body.if_contains("Weights")) {
    service.weights = {number_of(weights->as_object(), "Passing", 1), number_of(weights->as_object(), "Warning", 1)};
  }
  return service;
}

/// The registry that the recording was made with, and our server on it; made once.
class Oracle {
 public:
  static Oracle& instance() {
    static Oracle oracle;
    return oracle;
  }
  Message ask(const json::object& query) {
    Message message;
    message.header.id = 0x1234;
    message.header.recursion_desired = true;
    const auto type = parse_type(text_of(query, "type")).value();
    message.questions.push_back({Name::parse(text_of(query, "name")).value(), type, class_in});
    if (query.contains("edns") && !query.at("edns").is_null()) {
      message.edns.emplace();
      message.edns->udp_bytes = query.at("edns").to_number<std::uint16_t>();
    }
    const auto transport = flag_of(query, "tcp") ? net::Transport::tcp : net::Transport::udp;
    const auto bytes = encode(message);
    const auto reply = test::run(io_, exchange(server_->endpoints().at(0), bytes, transport, std::chrono::seconds(5)));
    if (!reply) throw std::runtime_error(reply.error().message);
    return decode(*reply).value();
  }

 private:
  Oracle() {
    registry::RegistryOptions options;
    options.identity = {"node1", "11111111-2222-3333-4444-555555555555", "dc1", "127.0.0.1"};
    registry_ = std::move(test::run(io_, registry::Registry::open(io_.get_executor(), std::move(options))).value());
    for (const auto& step : recording().at("setup").as_array()) set_up(step.as_array());
    DnsOptions dns;
    dns.endpoints = {Endpoint(asio::ip::make_address("127.0.0.1"), 0)};
    server_ = std::make_unique<DnsServer>(io_.get_executor(), *registry_, std::move(dns));
    if (!test::run(io_, server_->start())) throw std::runtime_error("the DNS server does not start");
  }
  ~Oracle() {
    test::run(io_, server_->stop());
    test::run(io_, registry_->close());
  }

  void set_up(const json::array& step) {
    const auto& body = step.at(1).as_object();
    const bool agent = step.at(0).as_string() == "PUT /v1/agent/service/register";
    const auto done = agent ? register_on_agent(body) : register_in_catalog(body);
    if (!done) throw std::runtime_error(done.error().message);
  }
  Result<registry::CommandResult> register_on_agent(const json::object& body) {
    std::vector<registry::Check> checks;
    if (const auto* given = body.if_contains("Check")) {
      registry::Check check;
      check.status = text_of(given->as_object(), "Status");
      checks.push_back(std::move(check));
    }
    return test::run(io_, registry::register_service(*registry_, service_of(body, "Name"), checks));
  }
  Result<registry::CommandResult> register_in_catalog(const json::object& body) {
    registry::RegisterCommand command;
    command.node.name = text_of(body, "Node");
    command.node.address = text_of(body, "Address");
    command.node.datacenter = "dc1";
    if (const auto* meta = body.if_contains("NodeMeta")) {
      for (const auto& [key, value] : meta->as_object()) command.node.meta[key] = value.as_string();
    }
    command.service = service_of(body.at("Service").as_object(), "Service");
    command.service->node = command.node.name;
    registry::Command posted(std::move(command));
    return test::run(io_, registry_->apply(std::move(posted)));
  }

  asio::io_context io_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<DnsServer> server_;
};

std::string row(const Record& record) {
  std::string data = to_text(record);
  data = data.substr(data.find(" IN ") + 4);  // "A 10.0.0.1"
  if (const auto* txt = std::get_if<Txt>(&record.data)) {
    data = "TXT [";
    for (const auto& string : txt->strings) data += (data.back() == '[' ? "" : ", ") + json::serialize(string);
    data += ']';
  }
  if (const auto* soa = std::get_if<Soa>(&record.data)) {
    data = fmt::format("SOA {} {} <serial> {} {} {} {}", soa->primary.to_text(), soa->mailbox.to_text(), soa->refresh,
                       soa->retry, soa->expire, soa->minimum);
  }
  return fmt::format("{} {} {}", record.name.to_text(), record.ttl, data);
}

/// A reply in the recording's form.
json::object view(const json::object& query, const Message& reply) {
  json::object out;
  out["rcode"] = to_text(reply.header.rcode);
  out["aa"] = reply.header.authoritative;
  out["ra"] = reply.header.recursion_available;
  const bool counts_only = flag_of(query, "subset");
  // Where the server chooses, only numbers are the same each time; and TC is our intentional difference.
  if (!counts_only) out["tc"] = reply.header.truncated;
  const auto section = [&](const char* name, const std::vector<Record>& records) {
    if (counts_only) {
      out[name] = records.size();
      return;
    }
    std::vector<std::string> rows;
    for (const auto& record : records) rows.push_back(row(record));
    std::sort(rows.begin(), rows.end());
    out[name] = json::value_from(rows);
  };
  section("answer", reply.answers);
  section("authority", reply.authority);
  section("additional", reply.additional);
  out["count"] = reply.answers.size();
  return out;
}

class ConsulDns : public testing::TestWithParam<std::size_t> {};

TEST_P(ConsulDns, AnswersAsRecorded) {
  const auto& query = recording().at("queries").as_array().at(GetParam()).as_object();
  const auto got = view(query, Oracle::instance().ask(query));
  EXPECT_TRUE(json::value(got) == query.at("expect")) << json::serialize(query) << "\n  got " << json::serialize(got);
}

std::string test_name(const testing::TestParamInfo<std::size_t>& info) {
  const auto& query = recording().at("queries").as_array().at(info.param).as_object();
  std::string out = fmt::format("{:02}_{}_{}", info.param, text_of(query, "type"), text_of(query, "name"));
  for (char& c : out) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Recorded, ConsulDns,
                         testing::Range<std::size_t>(0, recording().at("queries").as_array().size()), test_name);

}  // namespace
}  // namespace devstack::dns
