#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "core/registry/snapshot.h"
#include "core/registry/state.h"

/// The state against a model that is slow and obvious: plain maps for the content, and indexes and wake-ups worked out
/// by comparing the maps before and after each command.
namespace devstack::registry {
namespace {

using Table = Watch::Table;
using Pair = std::pair<std::string, std::string>;

struct MService {
  std::string name;
  std::vector<std::string> tags;
  bool operator==(const MService&) const = default;
};
struct MCheck {
  std::string service_id, status, service_name;
  std::vector<std::string> tags;
  bool operator==(const MCheck&) const = default;
};
struct MKv {
  std::string value, session;
  Index lock = 0;
  bool operator==(const MKv&) const = default;
};
struct MSession {
  bool removes = false;
  std::string node, check;
  bool operator==(const MSession&) const = default;
};

struct Content {
  std::map<std::string, std::string> nodes;
  std::map<Pair, MService> services;
  std::map<Pair, MCheck> checks;
  std::map<std::string, MKv> kv;
  std::map<std::string, MSession> sessions;
  bool operator==(const Content&) const = default;

  void end_session(const std::string& id) {
    const auto session = sessions.at(id);
    sessions.erase(id);
    for (auto at = kv.begin(); at != kv.end();) {
      if (at->second.session != id) {
        ++at;
      } else if (session.removes) {
        at = kv.erase(at);
      } else {
        at->second.session.clear();
        ++at;
      }
    }
  }
  void end_sessions_on(const std::string& node, const std::string& check) {
    for (const auto& [id, session] : std::map(sessions)) {
      if (session.node == node && session.check == check) end_session(id);
    }
  }
  void remove_check(const Pair& key) {
    if (checks.erase(key) == 1) end_sessions_on(key.first, key.second);
  }
  void remove_service(const Pair& key) {
    for (const auto& [check, value] : std::map(checks)) {
      if (check.first == key.first && value.service_id == key.second) remove_check(check);
    }
    services.erase(key);
  }
  void remove_node(const std::string& name) {
    for (const auto& [key, value] : std::map(services)) {
      if (key.first == name) remove_service(key);
    }
    for (const auto& [key, value] : std::map(checks)) {
      if (key.first == name) remove_check(key);
    }
    for (const auto& [id, session] : std::map(sessions)) {
      if (session.node == name) end_session(id);
    }
    nodes.erase(name);
  }
  /// Its checks show its name and tags as they were when they were last stored themselves.
  void put_service(const Pair& key, const MService& service) { services[key] = service; }
  /// Of an instance that has another name than before: the lists of checks by service that its checks leave or enter.
  [[nodiscard]] std::set<std::string> lists_left_and_entered(const Pair& key, const Content& before) const {
    const auto was = before.services.find(key), is = services.find(key);
    std::set<std::string> out;
    if (was == before.services.end() || is == services.end() || was->second.name == is->second.name) return out;
    for (const auto& [id, check] : checks) {
      const bool listed = check.service_name == was->second.name || check.service_name == is->second.name;
      if (id.first == key.first && check.service_id == key.second && listed) out.insert(check.service_name);
    }
    return out;
  }
  void put_check(const Pair& key, MCheck check) {
    if (!check.service_id.empty()) {
      const auto& service = services.at({key.first, check.service_id});
      check.service_name = service.name;
      check.tags = service.tags;
    }
    checks[key] = check;
    if (check.status == "critical") end_sessions_on(key.first, key.second);
  }
};

/// Keys whose values differ, or that only one side has.
template <class Map>
std::set<typename Map::key_type> difference(const Map& a, const Map& b) {
  std::set<typename Map::key_type> out;
  for (const auto& [key, value] : a) {
    if (const auto at = b.find(key); at == b.end() || !(at->second == value)) out.insert(key);
  }
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) out.insert(key);
  }
  return out;
}

std::set<std::string> names_of(const Content& content) {
  std::set<std::string> out;
  for (const auto& [key, service] : content.services) out.insert(service.name);
  return out;
}

const std::vector<std::string> node_names{"n1", "n2", "n3"}, ids{"a", "b", "c"}, service_names{"web", "db", "api"},
    check_ids{"c1", "c2", "c3"}, statuses{"passing", "warning", "critical"}, session_ids{"s1", "s2", "s3"},
    kv_keys{"p", "p/a", "p/b", "q/a", "q/b/c"}, prefixes{"", "p", "p/", "q/", "q/b", "zzz"};

struct Model {
  Content now;
  Index index = 1, nodes = 0, services = 0, checks = 0, kv = 0, sessions = 0, extinction = 0, restored = 0;
  std::map<std::string, Index> service_index, kv_modified, deleted;
  std::vector<Watch> woken;

  static std::vector<Watch> universe() {
    std::vector<Watch> all{
        {Table::any, ""}, {Table::nodes, ""}, {Table::services, ""}, {Table::checks, ""}, {Table::sessions, ""}};
    const auto add = [&](Table table, const std::vector<std::string>& keys) {
      for (const auto& key : keys) all.push_back({table, key});
    };
    add(Table::service, service_names), add(Table::service_instances, service_names);
    add(Table::service_checks, service_names), add(Table::node, node_names), add(Table::node_checks, node_names);
    add(Table::checks_in_state, statuses), add(Table::kv_key, kv_keys), add(Table::kv_prefix, prefixes);
    return all;
  }

  /// Takes over what a command left behind; `tree`: the prefix that it deleted.
  void become(const Content& next, const std::string* tree) {
    woken.clear();
    if (next == now) return;
    const auto before = std::exchange(now, next);
    ++index;
    const auto wake = [&](Table table, std::string key = {}) { woken.push_back({table, std::move(key)}); };
    wake(Table::any);
    const auto node_diff = difference(before.nodes, now.nodes);
    const auto service_diff = difference(before.services, now.services);
    const auto check_diff = difference(before.checks, now.checks);
    std::set<std::string> health, instances;
    const Content* const sides[] = {&before, &now};
    if (!node_diff.empty()) nodes = index, wake(Table::nodes);
    if (!service_diff.empty()) services = index, wake(Table::services);
    if (!check_diff.empty()) checks = index, wake(Table::checks);
    if (before.sessions != now.sessions) sessions = index, wake(Table::sessions);
    const auto on_node = [&](const std::string& node) {
      std::set<std::string> out;
      for (const auto& [key, service] : now.services) {
        if (key.first == node) out.insert(service.name);
      }
      return out;
    };
    for (const auto& node : node_diff) {
      wake(Table::node, node);
      instances.merge(on_node(node));
    }
    for (const auto& key : service_diff) {
      if (!now.services.contains(key)) checks = index;
      for (const auto& name : now.lists_left_and_entered(key, before)) {
        checks = index, wake(Table::service_checks, name);
      }
      wake(Table::node, key.first);
      for (const Content* side : sides) {
        if (const auto at = side->services.find(key); at != side->services.end()) instances.insert(at->second.name);
      }
    }
    for (const auto& key : check_diff) {
      wake(Table::node_checks, key.first);
      for (const Content* side : sides) {
        const auto at = side->checks.find(key);
        if (at == side->checks.end()) continue;
        wake(Table::checks_in_state, at->second.status);
        if (at->second.service_id.empty()) {
          health.merge(on_node(key.first));
        } else {
          const auto& name = side->services.at({key.first, at->second.service_id}).name;
          if (at->second.service_name == name) wake(Table::service_checks, name);
          health.insert(name);
        }
      }
    }
    for (const auto& name : instances) {
      wake(Table::service_instances, name);
      health.insert(name);
    }
    const auto existing = names_of(now);
    for (const auto& name : health) {
      wake(Table::service, name);
      service_index[name] = index;
    }
    for (const auto& name : names_of(before)) {
      if (!existing.contains(name)) extinction = index;
    }
    for (const auto& key : difference(before.kv, now.kv)) {
      kv = index;
      wake(Table::kv_key, key);
      for (const auto& prefix : prefixes) {
        if (key.starts_with(prefix)) wake(Table::kv_prefix, prefix);
      }
      const bool exists = now.kv.contains(key);
      (exists ? deleted : kv_modified).erase(key);
      if (exists || tree == nullptr) (exists ? kv_modified : deleted)[key] = index;
      if (tree == nullptr) continue;
      std::erase_if(deleted, [&](const auto& tombstone) { return tombstone.first.starts_with(*tree); });
      if (!tree->empty()) deleted[*tree] = index;
    }
  }

  /// Takes over what a snapshot holds: its indexes, but for the counter, which goes on, and under which none is.
  void restore(const Model& snapshot) {
    const auto next = std::max(index, snapshot.index) + 1;
    *this = snapshot;
    index = restored = next;
    woken = universe();
  }

  [[nodiscard]] Index index_of(const Watch& watch) const { return std::max(unrestored_index_of(watch), restored); }

 private:
  [[nodiscard]] Index unrestored_index_of(const Watch& watch) const {
    Index result = 0;
    switch (watch.table) {
      case Table::any:
        result = index;
        break;
      case Table::nodes:
        result = nodes;
        break;
      case Table::services:
        result = services;
        break;
      case Table::sessions:
        result = sessions;
        break;
      case Table::node:
        result = now.nodes.contains(watch.key) ? std::max(nodes, services) : 1;
        break;
      case Table::service:
      case Table::service_instances:
        if (names_of(now).contains(watch.key)) return service_index.at(watch.key);
        if (extinction != 0) return extinction;
        result = std::max({nodes, services, watch.table == Table::service ? checks : 0});
        break;
      case Table::kv_key:
        result = now.kv.contains(watch.key) ? kv_modified.at(watch.key) : kv;
        break;
      case Table::kv_prefix:
        for (const auto* side : {&kv_modified, &deleted}) {
          for (const auto& [key, at] : *side) {
            if (key.starts_with(watch.key)) result = std::max(result, at);
          }
        }
        if (result == 0 || watch.key.empty()) result = kv;
        break;
      default:
        result = checks;
    }
    return std::max<Index>(result, 1);
  }
};

Content content_of(const State& state) {
  Content out;
  for (const auto& node : state.nodes()) {
    out.nodes[node->name] = node->address;
    for (const auto& service : state.services_of(node->name)) {
      out.services[{node->name, service->id}] = {service->name, service->tags};
    }
    for (const auto& check : state.checks_of_node(node->name)) {
      out.checks[{node->name, check->id}] = {check->service_id, check->status, check->service_name,
                                             check->service_tags};
    }
  }
  for (const auto& entry : state.kv_prefix("")) out.kv[entry->key] = {entry->value, entry->session, entry->lock_index};
  for (const auto& session : state.sessions()) {
    out.sessions[session->id] = {session->behavior == Session::Behavior::remove, session->node,
                                 session->node_checks.empty() ? "" : session->node_checks.front()};
  }
  return out;
}

/// The instances of each name, put together by scanning.
void expect_instances(const State& state, const Content& content) {
  for (const auto& name : service_names) {
    std::vector<std::tuple<std::string, std::string, std::vector<std::string>>> expected, actual;
    for (const auto& [key, service] : content.services) {
      if (service.name != name) continue;
      std::vector<std::string> checks;
      for (const auto* wanted : {"", key.second.c_str()}) {
        for (const auto& [id, check] : content.checks) {
          if (id.first == key.first && check.service_id == wanted) checks.push_back(id.second + check.status);
        }
      }
      expected.emplace_back(key.first + content.nodes.at(key.first), key.second, checks);
    }
    for (const auto& instance : *state.instance_set(name)) {
      std::vector<std::string> checks;
      for (const auto& check : instance.checks) checks.push_back(check->id + check->status);
      actual.emplace_back(instance.node->name + instance.node->address, instance.service->id, checks);
    }
    ASSERT_EQ(actual, expected) << name;
  }
}

/// What a store would hold after the rows so far: the last row of each key.
class Stored {
 public:
  void take(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
      if (std::holds_alternative<ClearRow>(row.value)) rows_.clear();
      const auto key = std::pair(row.value.index(), std::visit(Key{}, row.value));
      row.kind == Row::Kind::removed ? void(rows_.erase(key)) : void(rows_.insert_or_assign(key, row));
    }
  }
  [[nodiscard]] State restored() const {
    std::vector<Row> rows;
    for (const auto& [key, row] : rows_) rows.push_back(row);
    return State::restore(rows, 1);
  }

 private:
  struct Key {
    std::string operator()(const NodePtr& v) const { return v->name; }
    std::string operator()(const ServicePtr& v) const { return v->node + "/" + v->id; }
    std::string operator()(const CheckPtr& v) const { return v->node + "/" + v->id; }
    std::string operator()(const KvPtr& v) const { return v->key; }
    std::string operator()(const SessionPtr& v) const { return v->id; }
    std::string operator()(const QueryPtr& v) const { return v->id; }
    std::string operator()(const TombstoneRow& v) const { return v.key; }
    std::string operator()(const IndexRow& v) const { return v.name; }
    std::string operator()(const ClearRow&) const { return ""; }
  };
  std::map<std::pair<std::size_t, std::string>, Row> rows_;
};

/// Makes a random command and carries it out on the model's content; false when it must be an error.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  bool next(const Content& content, const Model& model, Command& command, Content& after) {
    after = content;
    switch (random_() % 12) {
      case 0: {
        RegisterCommand c;
        c.node.name = pick(node_names);
        c.node.address = random_() % 2 == 0 ? "10.0.0.1" : "10.0.0.2";
        after.nodes[c.node.name] = c.node.address;
        command = c;
        return true;
      }
      case 1:
      case 2:
        return service(command, after);
      case 3:
        return check(command, after);
      case 4:
        return update(command, after);
      case 5:
        return deregister(command, after);
      case 6:
        return session(command, after);
      case 7: {
        const auto id = pick(session_ids);
        command = SessionDestroyCommand{id};
        if (after.sessions.contains(id)) after.end_session(id);
        return true;
      }
      case 8: {
        KvDeleteCommand c;
        c.key = pick(kv_keys);
        if (random_() % 4 == 0) {
          c.prefix = true;
          c.key = pick(prefixes);
          std::erase_if(after.kv, [&](const auto& entry) { return entry.first.starts_with(c.key); });
        } else {
          if (random_() % 3 == 0) c.cas = random_index(model);
          if (after.kv.contains(c.key) && (!c.cas || *c.cas == model.kv_modified.at(c.key))) after.kv.erase(c.key);
        }
        command = c;
        return true;
      }
      default:
        return kv(command, model, after);
    }
  }

 private:
  std::string pick(const std::vector<std::string>& from) { return from[random_() % from.size()]; }
  Index random_index(const Model& model) {
    if (random_() % 4 == 0 || model.kv_modified.empty()) return random_() % 2 == 0 ? 0 : model.index;
    return std::next(model.kv_modified.begin(), static_cast<long>(random_() % model.kv_modified.size()))->second;
  }
  static RegisterCommand on_node(std::string node) {
    RegisterCommand c;
    c.node.name = std::move(node);
    c.node.address = "10.0.0.9";
    c.skip_node_update = true;
    return c;
  }

  bool service(Command& command, Content& after) {
    auto c = on_node(pick(node_names));
    c.service.emplace();
    c.service->id = pick(ids);
    c.service->name = pick(service_names);
    if (random_() % 2 == 0) c.service->tags = {"t"};
    after.nodes.try_emplace(c.node.name, c.node.address);
    after.put_service({c.node.name, c.service->id}, {c.service->name, c.service->tags});
    command = c;
    return true;
  }
  bool check(Command& command, Content& after) {
    auto c = on_node(pick(node_names));
    Check check;
    check.id = pick(check_ids);
    check.status = pick(statuses);
    if (random_() % 3 != 0) check.service_id = pick(ids);
    c.checks.push_back(check);
    command = c;
    if (!check.service_id.empty() && !after.services.contains({c.node.name, check.service_id})) return false;
    after.nodes.try_emplace(c.node.name, c.node.address);
    after.put_check({c.node.name, check.id}, {check.service_id, check.status, "", {}});
    return true;
  }
  bool update(Command& command, Content& after) {
    const UpdateCheckCommand c{pick(node_names), pick(check_ids), pick(statuses), ""};
    command = c;
    const auto at = after.checks.find({c.node, c.check_id});
    if (at == after.checks.end()) return false;
    if (at->second.status == c.status) return true;
    auto check = at->second;
    check.status = c.status;
    after.put_check({c.node, c.check_id}, check);
    return true;
  }
  bool deregister(Command& command, Content& after) {
    DeregisterCommand c{pick(node_names), "", ""};
    const auto what = random_() % 8;
    if (what > 4) {
      c.service_id = pick(ids);
      if (after.services.contains({c.node, c.service_id})) after.remove_service({c.node, c.service_id});
    } else if (what > 0) {
      c.check_id = pick(check_ids);
      after.remove_check({c.node, c.check_id});
    } else {
      if (after.nodes.contains(c.node)) after.remove_node(c.node);
    }
    command = c;
    return true;
  }
  bool session(Command& command, Content& after) {
    SessionCreateCommand c;
    c.session.id = pick(session_ids);
    c.session.node = pick(node_names);
    if (random_() % 2 == 0) c.session.node_checks = {pick(check_ids)};
    if (random_() % 2 == 0) c.session.behavior = Session::Behavior::remove;
    command = c;
    if (after.sessions.contains(c.session.id) || !after.nodes.contains(c.session.node)) return false;
    MSession made{c.session.behavior == Session::Behavior::remove, c.session.node, ""};
    if (!c.session.node_checks.empty()) {
      made.check = c.session.node_checks.front();
      const auto at = after.checks.find({made.node, made.check});
      if (at == after.checks.end() || at->second.status == "critical") return false;
    }
    after.sessions[c.session.id] = made;
    return true;
  }
  bool kv(Command& command, const Model& model, Content& after) {
    KvSetCommand c;
    c.key = pick(kv_keys);
    c.value = random_() % 2 == 0 ? "1" : "2";
    const auto before = after.kv.find(c.key);
    const bool exists = before != after.kv.end();
    MKv entry = exists ? before->second : MKv{};
    entry.value = c.value;
    bool stored = true, valid = true;
    switch (random_() % 4) {
      case 0:
        c.acquire = pick(session_ids);
        valid = after.sessions.contains(*c.acquire);
        stored = entry.session.empty() || entry.session == *c.acquire;
        if (entry.session.empty()) ++entry.lock;
        entry.session = *c.acquire;
        break;
      case 1:
        c.release = pick(session_ids);
        stored = exists && entry.session == *c.release;
        entry.session.clear();
        break;
      case 2:
        c.cas = random_index(model);
        stored = *c.cas == (exists ? model.kv_modified.at(c.key) : 0);
        entry.lock = 0;
        break;
      default:
        entry.lock = 0;
    }
    command = c;
    if (valid && stored) after.kv[c.key] = entry;
    return valid;
  }

  std::mt19937 random_;
};

class AgainstModel : public testing::TestWithParam<unsigned> {};

TEST_P(AgainstModel, ContentIndexesAndWakeUpsAgreeAfterEveryCommand) {
  Generator generator(GetParam());
  Model model;
  State state;
  Stored stored;
  const auto universe = Model::universe();
  Model saved_model;
  std::string saved = encode_snapshot(state);
  for (int step = 0; step < 3000; ++step) {
    if (step % 97 == 0) {
      saved_model = model;
      saved = encode_snapshot(state);
    }
    Command command;
    Content after;
    const bool restore = step % 130 == 129;
    if (restore) {
      auto decoded = decode_snapshot(saved);
      ASSERT_TRUE(decoded) << decoded.error().message;
      command = std::move(*decoded);
    }
    const bool valid = restore || generator.next(model.now, model, command, after);
    const auto applied = state.apply(command);
    ASSERT_EQ(applied.has_value(), valid) << step << " kind " << command.index();
    if (!valid) continue;
    const auto* deletion = std::get_if<KvDeleteCommand>(&command);
    const auto* tree = deletion != nullptr && deletion->prefix ? &deletion->key : nullptr;
    restore ? model.restore(saved_model) : model.become(after, tree);
    state = applied->state;
    stored.take(applied->rows);
    ASSERT_EQ(state.index(), model.index) << step << " kind " << command.index();
    ASSERT_EQ(applied->changed.empty(), model.woken.empty()) << step << " kind " << command.index();
    ASSERT_EQ(content_of(state), model.now) << step << " kind " << command.index();
    if (step % 3 == 0) expect_instances(state, model.now);
    for (const auto& watch : universe) {
      const bool expected = std::find(model.woken.begin(), model.woken.end(), watch) != model.woken.end();
      const bool woke = std::any_of(applied->changed.begin(), applied->changed.end(),
                                    [&](const Watch& changed) { return wakes(changed, watch); });
      const auto where =
          fmt::format("step {} kind {} watch {} '{}'", step, command.index(), static_cast<int>(watch.table), watch.key);
      ASSERT_EQ(woke, expected) << where;
      ASSERT_EQ(state.index_of(watch), model.index_of(watch)) << where;
    }
    if (step % 50 != 0 && !restore) continue;
    const auto again = stored.restored();
    ASSERT_EQ(again.index(), state.index());
    ASSERT_EQ(content_of(again), model.now);
    expect_instances(again, model.now);
    for (const auto& watch : universe) {
      ASSERT_EQ(again.index_of(watch), state.index_of(watch)) << static_cast<int>(watch.table) << watch.key;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstModel, testing::Range(1U, 6U));

}  // namespace
}  // namespace devstack::registry
