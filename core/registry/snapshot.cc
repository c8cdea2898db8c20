#include "core/registry/snapshot.h"

#include <algorithm>
#include <set>

#include "core/registry/row_json.h"
#include "core/registry/state_data.h"

namespace devstack::registry {
namespace {

constexpr std::string_view magic = "devstack registry\n";
/// Raised when a reader of before could not make sense of what is written; new fields in a body need no new version.
constexpr std::uint64_t version = 1;

/// The first byte of a record. Numbers are never reused.
enum class Record : unsigned char {
  end = 0,  ///< and the number of records
  node = 1,
  service = 2,
  check = 3,
  session = 4,
  query = 5,
  kv = 6,
  tombstone = 7,
  index = 8
};

class Encoder {
 public:
  Encoder() { out_.append(magic), number(version); }

  void operator()(const NodePtr& node) { body(Record::node, to_body(*node)); }
  void operator()(const ServicePtr& service) { body(Record::service, to_body(*service)); }
  void operator()(const CheckPtr& check) { body(Record::check, to_body(*check)); }
  void operator()(const SessionPtr& session) { body(Record::session, to_body(*session)); }
  void operator()(const QueryPtr& query) { body(Record::query, to_body(*query)); }
  void operator()(const KvPtr& entry) {
    begin(Record::kv);
    bytes(entry->key), bytes(entry->value), bytes(entry->session);
    number(entry->flags), number(entry->lock_index), number(entry->create_index), number(entry->modify_index);
  }
  void operator()(const TombstoneRow& row) { begin(Record::tombstone), bytes(row.key), number(row.index); }
  void operator()(const IndexRow& row) { begin(Record::index), bytes(row.name), number(row.index); }
  void operator()(const ClearRow&) {}

  std::string take() && {
    const auto count = count_;
    begin(Record::end), number(count);
    return std::move(out_);
  }

 private:
  void begin(Record record) { out_.push_back(static_cast<char>(record)), ++count_; }
  void body(Record record, const std::string& text) { begin(record), bytes(text); }
  void bytes(std::string_view text) { number(text.size()), out_.append(text); }
  /// Least significant byte first.
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string out_;
  std::uint64_t count_ = 0;
};

/// Reads past the end give zeros and empty strings, and good() is false from then on.
class Decoder {
 public:
  explicit Decoder(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  unsigned char byte() { return static_cast<unsigned char>(take(1).at(0)); }
  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto text = take(8);
    for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
    return value;
  }
  std::string bytes() {
    const auto size = number();
    if (size > rest_.size()) good_ = false;
    return good_ ? take(size) : std::string();
  }

 private:
  std::string take(std::size_t count) {
    good_ = good_ && count <= rest_.size();
    if (!good_) return std::string(count, '\0');
    std::string out(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view rest_;
  bool good_ = true;
};

template <class T>
Result<Row> body_row(Decoder& in) {
  const auto text = in.bytes();
  if (!in.good()) return fail(Errc::parse, "a record is cut short");
  TRY(auto value, from_body<T>(text));
  return Row{std::make_shared<const T>(std::move(value)), Row::Kind::put};
}

Row kv_row(Decoder& in) {
  auto entry = std::make_shared<KvEntry>();
  entry->key = in.bytes(), entry->value = in.bytes(), entry->session = in.bytes();
  entry->flags = in.number(), entry->lock_index = in.number();
  entry->create_index = in.number(), entry->modify_index = in.number();
  return Row{KvPtr(std::move(entry)), Row::Kind::put};
}

Result<Row> read_record(Record record, Decoder& in) {
  switch (record) {
    case Record::node:
      return body_row<Node>(in);
    case Record::service:
      return body_row<Service>(in);
    case Record::check:
      return body_row<Check>(in);
    case Record::session:
      return body_row<Session>(in);
    case Record::query:
      return body_row<PreparedQuery>(in);
    case Record::kv:
      return kv_row(in);
    case Record::tombstone: {
      auto key = in.bytes();
      return Row{TombstoneRow{std::move(key), in.number()}, Row::Kind::put};
    }
    case Record::index: {
      auto name = in.bytes();
      return Row{IndexRow{std::move(name), in.number()}, Row::Kind::put};
    }
    case Record::end:
      break;
  }
  return fail(Errc::parse, "a record is of an unknown kind");
}

/// State trusts its rows; these come from outside. What a row refers to must be there, and names must fit into keys.
class Consistency {
 public:
  Result<void> check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
      const auto* index = std::get_if<IndexRow>(&row.value);
      if (index != nullptr && index->name == counter_row) newest_ = std::min(index->index, most_index);
    }
    for (const auto& row : rows) {
      std::visit([this](const auto& value) { define(value), date(value); }, row.value);
    }
    for (const auto& row : rows) std::visit([this](const auto& value) { refer(value); }, row.value);
    if (!fault_.empty()) return fail(Errc::parse, "{}", fault_);
    return {};
  }

 private:
  void name(std::string_view text) {
    if (text.empty()) fault_ = "a name is empty or holds NUL";
    part(text);
  }
  void part(std::string_view text) {
    if (text.find(key_separator) != std::string_view::npos) fault_ = "a name is empty or holds NUL";
  }
  void define(const NodePtr& node) { name(node->name), nodes_.insert(folded(node->name)); }
  void define(const ServicePtr& service) {
    name(service->id), name(service->name);
    services_.insert(join(folded(service->node), folded(service->id)));
  }
  void define(const SessionPtr& session) { name(session->id), sessions_.insert(folded(session->id)); }
  /// Registries of before let a check have no id at all, and what they saved must come back.
  void define(const CheckPtr& check) { part(check->id); }
  template <class Other>
  void define(const Other&) {}

  /// What would stand above the counter could never be seen to change.
  void at(Index index) {
    if (index > newest_) fault_ = "an entry is newer than its registry";
  }
  template <class T>
  void date(const std::shared_ptr<const T>& entry) {
    at(entry->create_index), at(entry->modify_index);
  }
  void date(const TombstoneRow& row) { at(row.index); }
  void date(const IndexRow& row) { at(row.index); }
  void date(const ClearRow&) {}

  void node(const std::string& of) {
    if (!nodes_.contains(folded(of))) fault_ = fmt::format("node \"{}\" is missing", of);
  }
  void session(const std::string& id) {
    if (!id.empty() && !sessions_.contains(folded(id))) fault_ = fmt::format("session \"{}\" is missing", id);
  }
  void refer(const ServicePtr& service) { node(service->node); }
  void refer(const SessionPtr& session) { node(session->node); }
  void refer(const CheckPtr& check) {
    node(check->node);
    const bool known = services_.contains(join(folded(check->node), folded(check->service_id)));
    if (!check->service_id.empty() && !known) fault_ = fmt::format("service \"{}\" is missing", check->service_id);
  }
  void refer(const KvPtr& entry) { session(entry->session); }
  void refer(const QueryPtr& query) { session(query->session); }
  template <class Other>
  void refer(const Other&) {}

  Index newest_ = 0;
  std::set<std::string> nodes_, services_, sessions_;
  std::string fault_;
};

}  // namespace

std::string encode_snapshot(const State& state) {
  Encoder out;
  for (const auto& row : state.rows()) std::visit(out, row.value);
  return std::move(out).take();
}

Result<RestoreCommand> decode_snapshot(std::string_view bytes) {
  if (!bytes.starts_with(magic))
    return fail(Errc::parse, "state.bin is not a devstack registry's (a Consul server's?)");
  Decoder in(bytes.substr(magic.size()));
  if (const auto written = in.number(); in.good() && written != version) {
    return fail(Errc::parse, "state.bin has version {}, this devstack knows {}", written, version);
  }
  auto rows = std::make_shared<std::vector<Row>>();
  while (in.good()) {
    const auto record = static_cast<Record>(in.byte());
    if (!in.good() || record == Record::end) break;
    auto row = read_record(record, in);
    if (!row) return tl::unexpected(std::move(row).error().with_context("state.bin is damaged"));
    rows->push_back(std::move(*row));
  }
  const auto count = in.number();
  if (!in.good() || !in.at_end() || count != rows->size()) return fail(Errc::parse, "state.bin is damaged");
  if (auto consistent = Consistency().check(*rows); !consistent) {
    return tl::unexpected(std::move(consistent).error().with_context("state.bin does not add up"));
  }
  return RestoreCommand{std::move(rows)};
}

}  // namespace devstack::registry
