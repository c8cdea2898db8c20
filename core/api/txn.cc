#include "core/api/blocking.h"
#include "core/api/definitions.h"
#include "core/api/encode.h"
#include "core/api/go_text.h"
#include "core/api/handlers.h"
#include "core/api/limits.h"
#include "core/base/base64.h"

/// PUT /v1/txn. https://developer.hashicorp.com/consul/api-docs/txn
namespace devstack::api {
namespace {

using registry::TxnCheck;
using registry::TxnCommand;
using registry::TxnError;
using registry::TxnKv;
using registry::TxnNode;
using registry::TxnService;
using registry::TxnVerb;
namespace json = boost::json;

/// What a body asks for.
struct Transaction {
  TxnCommand command;
  bool writes = false;
};

std::optional<TxnKv::Verb> kv_verb(std::string_view name) {
  using Verb = TxnKv::Verb;
  static constexpr std::pair<std::string_view, Verb> kVerbs[] = {{"set", Verb::set},
                                                                 {"cas", Verb::cas},
                                                                 {"lock", Verb::lock},
                                                                 {"unlock", Verb::unlock},
                                                                 {"get", Verb::get},
                                                                 {"get-tree", Verb::get_tree},
                                                                 {"delete", Verb::remove},
                                                                 {"delete-cas", Verb::remove_cas},
                                                                 {"delete-tree", Verb::remove_tree},
                                                                 {"check-session", Verb::check_session},
                                                                 {"check-index", Verb::check_index},
                                                                 {"check-not-exists", Verb::check_not_exists}};
  for (const auto& [text, verb] : kVerbs) {
    if (text == name) return verb;
  }
  return std::nullopt;
}

bool only_reads(TxnKv::Verb verb) {
  using Verb = TxnKv::Verb;
  return verb == Verb::get || verb == Verb::get_tree || verb == Verb::check_session || verb == Verb::check_index ||
         verb == Verb::check_not_exists;
}

std::optional<TxnVerb> catalog_verb(std::string_view name) {
  if (name == "get") return TxnVerb::get;
  if (name == "set") return TxnVerb::set;
  if (name == "cas") return TxnVerb::cas;
  if (name == "delete") return TxnVerb::remove;
  if (name == "delete-cas") return TxnVerb::remove_cas;
  return std::nullopt;
}

/// A transaction takes an instance for what it was before proxies.
void forget_unknown_to_txn(registry::Service& service) {
  service.kind.clear();
  service.socket_path.clear();
  service.tagged_addresses.clear();
  service.proxy_json.clear();
  service.connect_json.clear();
}

/// One operation being read: where it goes and which number it has.
struct Reader {
  Transaction& out;

  void unknown_verb(std::string_view kind, std::string_view verb) {
    out.command.ops.emplace_back(registry::TxnRefused{fmt::format("unknown {} verb {}", kind, go_quote(verb))});
  }

  Result<void> read_kv(const json::value& value) {
    TxnKv op;
    std::string verb;
    std::string base64;
    Fields fields(value, "KVTxnOp.KV");
    fields.read("Verb", verb);
    fields.read("Key", op.key);
    fields.read("Value", base64);
    fields.read("Flags", op.flags);
    fields.read("Index", op.index);
    fields.read("Session", op.session);
    fields.skip("Namespace");
    CHECK(fields.done(Unknown::refuse));
    TRY(op.value, decode_base64(base64));
    if (op.value.size() > kLargestValue) {
      return fail(Errc::too_large, "Value for key \"{}\" is too large ({} > {} bytes)", op.key, op.value.size(),
                  kLargestValue);
    }
    const auto known = kv_verb(verb);
    if (!known && !op.key.empty()) {
      unknown_verb("KV", verb);
      return {};
    }
    if (known) {
      op.verb = *known;
      out.writes = out.writes || !only_reads(op.verb);
    }
    out.command.ops.emplace_back(std::move(op));
    return {};
  }

  /// Sets the verb of a catalog operation; false when there is no such verb.
  bool set_verb(std::string_view kind, const std::string& name, TxnVerb& verb) {
    const auto known = catalog_verb(name);
    out.writes = out.writes || known != TxnVerb::get;
    if (!known) {
      unknown_verb(kind, name);
      return false;
    }
    verb = *known;
    return true;
  }

  Result<void> read_node(const json::value& value, const std::string& datacenter) {
    TxnNode op;
    std::string verb;
    Fields fields(value, "TxnNodeOp");
    fields.read("Verb", verb);
    if (const auto* node = fields.find("Node")) {
      Fields inner(*node, "Node");
      inner.read("ID", op.node.id);
      inner.read("Node", op.node.name);
      inner.read("Address", op.node.address);
      inner.read("Datacenter", op.node.datacenter);
      inner.read("TaggedAddresses", op.node.tagged_addresses);
      inner.read("Meta", op.node.meta);
      inner.skip("CreateIndex");
      inner.read("ModifyIndex", op.node.modify_index);
      CHECK(inner.done(Unknown::refuse));
    }
    CHECK(fields.done(Unknown::refuse));
    if (op.node.datacenter.empty()) op.node.datacenter = datacenter;
    if (set_verb("Node", verb, op.verb)) out.command.ops.emplace_back(std::move(op));
    return {};
  }

  Result<void> read_service(const json::value& value) {
    TxnService op;
    std::string verb;
    Fields fields(value, "TxnServiceOp");
    fields.read("Verb", verb);
    fields.read("Node", op.node);
    if (const auto* service = fields.find("Service")) {
      TRY(op.service, read_node_service(*service));
      forget_unknown_to_txn(op.service);
    }
    CHECK(fields.done(Unknown::refuse));
    if (set_verb("Service", verb, op.verb)) out.command.ops.emplace_back(std::move(op));
    return {};
  }

  Result<void> read_check(const json::value& value) {
    TxnCheck op;
    std::string verb;
    Fields fields(value, "TxnCheckOp");
    fields.read("Verb", verb);
    if (const auto* check = fields.find("Check")) {
      TRY(op.check, read_health_check(*check, CheckForm::transaction));
    }
    CHECK(fields.done(Unknown::refuse));
    if (set_verb("Check", verb, op.verb)) out.command.ops.emplace_back(std::move(op));
    return {};
  }
};

Result<Transaction> read_transaction(const json::value& body, const std::string& datacenter) {
  Transaction out;
  const auto* list = body.if_array();
  if (list == nullptr && !body.is_null()) {
    const auto kind = body.is_object() ? "object" : body.is_string() ? "string" : body.is_bool() ? "bool" : "number";
    return fail(Errc::parse, "json: cannot unmarshal {} into Go value of type api.TxnOps", kind);
  }
  if (list == nullptr) return out;
  if (list->size() > kLargestTxn) {
    return fail(Errc::too_large, "Transaction contains too many operations ({} > {})", list->size(), kLargestTxn);
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    Reader reader{out};
    Fields fields((*list)[i], "TxnOp");
    const auto* kv = fields.find("KV");
    const auto* node = fields.find("Node");
    const auto* service = fields.find("Service");
    const auto* check = fields.find("Check");
    CHECK(fields.done(Unknown::refuse));
    if (kv != nullptr) {
      CHECK(reader.read_kv(*kv));
    } else if (node != nullptr) {
      CHECK(reader.read_node(*node, datacenter));
    } else if (service != nullptr) {
      CHECK(reader.read_service(*service));
    } else if (check != nullptr) {
      CHECK(reader.read_check(*check));
    }
  }
  return out;
}

/// What a read-only transaction tells of the state it read.
void write_meta(JsonWriter& out) {
  out.field("Index", 1);
  out.field("LastContact", 0);
  out.field("KnownLeader", true);
  out.field("ConsistencyLevel", "");
  out.field("NotModified", false);
  out.field("Backend", 0);
}

http::Response failed(const std::vector<TxnError>& errors, bool read_only) {
  JsonWriter out;
  out.open_object();
  out.key("Results");
  out.null();
  out.key("Errors");
  out.open_array();
  for (const auto& error : errors) {
    out.open_object();
    out.field("OpIndex", std::uint64_t{error.op_index});
    out.field("What", error.what);
    out.close_object();
  }
  out.close_array();
  if (read_only) write_meta(out);
  out.close_object();
  return http::json(409, out.take());
}

void write_result(JsonWriter& out, const registry::TxnResult& result) {
  out.open_object();
  if (const auto* kv = std::get_if<registry::KvPtr>(&result)) {
    out.key("KV");
    write_kv(out, **kv);
  } else if (const auto* node = std::get_if<registry::NodePtr>(&result)) {
    out.key("Node");
    write_node(out, **node);
  } else if (const auto* service = std::get_if<registry::ServicePtr>(&result)) {
    out.key("Service");
    write_node_service(out, **service, EmptyList::as_null);
  } else {
    out.key("Check");
    write_check(out, *std::get<registry::CheckPtr>(result), EmptyList::as_null);
  }
  out.close_object();
}

std::string results_json(const std::vector<registry::TxnResult>& results, bool read_only) {
  JsonWriter out;
  out.open_object();
  out.key("Results");
  out.open_array();
  for (const auto& result : results) write_result(out, result);
  out.close_array();
  out.key("Errors");
  out.null();
  if (read_only) write_meta(out);
  out.close_object();
  return out.take();
}

}  // namespace

asio::awaitable<http::Response> txn(const Call& call) {
  if (call.request.body.size() > kLargestValue) co_return http::text(413, too_large(call.request.body.size()));
  const auto body = parse_json(call.request.body);
  if (!body) co_return http::text(400, "Failed to parse body: " + body.error().message);
  auto transaction = read_transaction(*body, call.backend.writer.identity().datacenter);
  if (!transaction && transaction.error().code == Errc::parse) {
    co_return http::text(400, "Failed to parse body: " + transaction.error().message);
  }
  if (!transaction) co_return respond(transaction.error());
  const bool read_only = !transaction->writes;
  registry::Command command = std::move(transaction->command);
  if (read_only) {
    if (const auto options = read_options(call.query); !options) co_return http::text(400, options.error().message);
    const auto read = call.backend.view.snapshot()->apply(command);
    if (!read) co_return respond(read.error());
    const auto& result = read->result;
    auto response = result.applied ? http::json(200, results_json(result.results, true)) : failed(result.errors, true);
    response.headers.set("X-Consul-Knownleader", "true");
    response.headers.set("X-Consul-Lastcontact", "0");
    co_return response;
  }
  const auto written = co_await call.backend.writer.apply(std::move(command));
  if (!written) co_return respond(written.error());
  if (!written->applied) co_return failed(written->errors, false);
  co_return http::json(200, results_json(written->results, false));
}

}  // namespace devstack::api
