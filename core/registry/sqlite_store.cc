#include "core/registry/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include "core/registry/row_json.h"

namespace devstack::registry {
namespace {

namespace fs = std::filesystem;
using SQLite::Database;
using SQLite::Statement;

/// Step i brings a file from user_version i to i + 1. Steps are never edited once released; add one.
constexpr const char* migrations[] = {
    R"sql(
      CREATE TABLE nodes(name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE services(node TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY(node, id)) WITHOUT ROWID;
      CREATE TABLE checks(node TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY(node, id)) WITHOUT ROWID;
      CREATE TABLE kv(key BLOB PRIMARY KEY, value BLOB NOT NULL, flags INTEGER NOT NULL, lock_index INTEGER NOT NULL,
                      session TEXT NOT NULL, create_index INTEGER NOT NULL, modify_index INTEGER NOT NULL);
      CREATE TABLE tombstones(key BLOB PRIMARY KEY, modify_index INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE sessions(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE queries(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE indexes(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    )sql",
};
constexpr int schema_version = static_cast<int>(std::size(migrations));

/// Why an existing file is not used.
enum class Unfit { damaged, newer };

struct Refusal {
  Error error;
  std::optional<Unfit> unfit;  ///< nothing: the file may be fine, the system is not
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

std::int64_t stored(Index value) { return static_cast<std::int64_t>(value); }
Index loaded(const SQLite::Column& column) { return static_cast<Index>(column.getInt64()); }
std::string bytes(const SQLite::Column& column) {
  const auto size = static_cast<std::size_t>(column.getBytes());
  return size == 0 ? std::string() : std::string(static_cast<const char*>(column.getBlob()), size);
}

void bind_blob(Statement& statement, int at, const std::string& value) {
  statement.bind(at, static_cast<const void*>(value.data()), static_cast<int>(value.size()));
}

}  // namespace

struct SqliteStore::Impl {
  explicit Impl(const std::string& path) : db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    db.setBusyTimeout(300);
    // Exclusive: a second devstack on the same directory is refused, and the WAL needs no shared memory.
    db.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA journal_size_limit = 16777216;"
        // Of many keys every write meets a page of its own. Let the log grow to its limit before it is copied back, so
        // that a page changed often is copied once; and hold what is changed often.
        "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000;");
    // Takes the lock now, not at the first write, and keeps it.
    db.exec("BEGIN IMMEDIATE; COMMIT;");
  }

  Statement& statement(const char* sql) {
    auto& slot = statements[sql];
    if (!slot) slot = std::make_unique<Statement>(db, sql);
    slot->tryReset();  // reset() would throw the error of the last, failed use again
    slot->clearBindings();
    return *slot;
  }

  void put_body(const char* sql, const std::string& key, const std::string& body) {
    auto& s = statement(sql);
    s.bind(1, key);
    s.bind(2, body);
    s.exec();
  }
  void put_body(const char* sql, const std::string& node, const std::string& id, const std::string& body) {
    auto& s = statement(sql);
    s.bind(1, node);
    s.bind(2, id);
    s.bind(3, body);
    s.exec();
  }
  void remove(const char* sql, const std::string& key) {
    auto& s = statement(sql);
    s.bind(1, key);
    s.exec();
  }
  void remove(const char* sql, const std::string& node, const std::string& id) {
    auto& s = statement(sql);
    s.bind(1, node);
    s.bind(2, id);
    s.exec();
  }
  void remove_blob(const char* sql, const std::string& key) {
    auto& s = statement(sql);
    bind_blob(s, 1, key);
    s.exec();
  }

  void write(const NodePtr& node, Row::Kind kind) {
    if (kind == Row::Kind::removed) return remove("DELETE FROM nodes WHERE name = ?", lower(node->name));
    put_body("INSERT OR REPLACE INTO nodes VALUES(?, ?)", lower(node->name), to_body(*node));
  }
  void write(const ServicePtr& service, Row::Kind kind) {
    const auto node = lower(service->node), id = lower(service->id);
    if (kind == Row::Kind::removed) return remove("DELETE FROM services WHERE node = ? AND id = ?", node, id);
    put_body("INSERT OR REPLACE INTO services VALUES(?, ?, ?)", node, id, to_body(*service));
  }
  void write(const CheckPtr& check, Row::Kind kind) {
    const auto node = lower(check->node), id = lower(check->id);
    if (kind == Row::Kind::removed) return remove("DELETE FROM checks WHERE node = ? AND id = ?", node, id);
    put_body("INSERT OR REPLACE INTO checks VALUES(?, ?, ?)", node, id, to_body(*check));
  }
  void write(const KvPtr& entry, Row::Kind kind) {
    if (kind == Row::Kind::removed) return remove_blob("DELETE FROM kv WHERE key = ?", entry->key);
    // Not REPLACE, which gives the row a new place and so writes its index again: twice the pages for each change.
    auto& s = statement(
        "INSERT INTO kv VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value,"
        "flags = excluded.flags, lock_index = excluded.lock_index, session = excluded.session,"
        "create_index = excluded.create_index, modify_index = excluded.modify_index");
    bind_blob(s, 1, entry->key);
    bind_blob(s, 2, entry->value);
    s.bind(3, stored(entry->flags));
    s.bind(4, stored(entry->lock_index));
    s.bind(5, entry->session);
    s.bind(6, stored(entry->create_index));
    s.bind(7, stored(entry->modify_index));
    s.exec();
  }
  void write(const SessionPtr& session, Row::Kind kind) {
    if (kind == Row::Kind::removed) return remove("DELETE FROM sessions WHERE id = ?", lower(session->id));
    put_body("INSERT OR REPLACE INTO sessions VALUES(?, ?)", lower(session->id), to_body(*session));
  }
  void write(const QueryPtr& query, Row::Kind kind) {
    if (kind == Row::Kind::removed) return remove("DELETE FROM queries WHERE id = ?", lower(query->id));
    put_body("INSERT OR REPLACE INTO queries VALUES(?, ?)", lower(query->id), to_body(*query));
  }
  void write(const TombstoneRow& row, Row::Kind kind) {
    if (kind == Row::Kind::removed) return remove_blob("DELETE FROM tombstones WHERE key = ?", row.key);
    auto& s = statement("INSERT OR REPLACE INTO tombstones VALUES(?, ?)");
    bind_blob(s, 1, row.key);
    s.bind(2, stored(row.index));
    s.exec();
  }
  void write(const IndexRow& row, Row::Kind kind) {
    if (kind == Row::Kind::removed) return remove("DELETE FROM indexes WHERE name = ?", row.name);
    auto& s = statement("INSERT OR REPLACE INTO indexes VALUES(?, ?)");
    s.bind(1, row.name);
    s.bind(2, stored(row.index));
    s.exec();
  }
  void write(const ClearRow&, Row::Kind) {
    for (const auto* table : {"nodes", "services", "checks", "kv", "tombstones", "sessions", "queries", "indexes"}) {
      db.exec(fmt::format("DELETE FROM {}", table));
    }
  }

  void migrate(int from) {
    for (int step = from; step < schema_version; ++step) {
      SQLite::Transaction transaction(db);
      db.exec(migrations[step]);
      db.exec(fmt::format("PRAGMA user_version = {}", step + 1));
      transaction.commit();
    }
  }

  template <class T>
  Result<void> read_bodies(const char* sql, std::vector<Row>& rows) {
    Statement s(db, sql);
    while (s.executeStep()) {
      TRY(auto value, from_body<T>(bytes(s.getColumn(0))));
      rows.push_back(Row{std::make_shared<const T>(std::move(value)), Row::Kind::put});
    }
    return {};
  }

  void read_kv(std::vector<Row>& rows) {
    Statement s(db, "SELECT key, value, flags, lock_index, session, create_index, modify_index FROM kv");
    while (s.executeStep()) {
      auto entry = std::make_shared<KvEntry>();
      entry->key = bytes(s.getColumn(0));
      entry->value = bytes(s.getColumn(1));
      entry->flags = loaded(s.getColumn(2));
      entry->lock_index = loaded(s.getColumn(3));
      entry->session = bytes(s.getColumn(4));
      entry->create_index = loaded(s.getColumn(5));
      entry->modify_index = loaded(s.getColumn(6));
      rows.push_back(Row{KvPtr(std::move(entry)), Row::Kind::put});
    }
  }

  Result<std::vector<Row>> read_all() {
    std::vector<Row> rows;
    CHECK(read_bodies<Node>("SELECT body FROM nodes", rows));
    CHECK(read_bodies<Service>("SELECT body FROM services", rows));
    CHECK(read_bodies<Check>("SELECT body FROM checks", rows));
    CHECK(read_bodies<Session>("SELECT body FROM sessions", rows));
    CHECK(read_bodies<PreparedQuery>("SELECT body FROM queries", rows));
    read_kv(rows);
    for (Statement s(db, "SELECT key, modify_index FROM tombstones"); s.executeStep();) {
      rows.push_back(Row{TombstoneRow{bytes(s.getColumn(0)), loaded(s.getColumn(1))}, Row::Kind::put});
    }
    for (Statement s(db, "SELECT name, value FROM indexes"); s.executeStep();) {
      rows.push_back(Row{IndexRow{bytes(s.getColumn(0)), loaded(s.getColumn(1))}, Row::Kind::put});
    }
    return rows;
  }

  Database db;
  /// By the address of the literal. Declared after the database: statements go first.
  std::map<const char*, std::unique_ptr<Statement>> statements;
};

namespace {

Refusal refusal(const SQLite::Exception& error, const std::string& path) {
  const int code = error.getErrorCode() & 0xff;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return {Error{Errc::io, fmt::format("{}: {}", path, error.what())}, Unfit::damaged};
  }
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return {Error{Errc::conflict, fmt::format("{} is in use by another process", path)}, std::nullopt};
  }
  return {Error{Errc::io, fmt::format("{}: {}", path, error.what())}, std::nullopt};
}

/// Renames the file and its log to a name that is free; returns that name.
Result<std::string> set_aside(const std::string& path, Unfit why) {
  const auto* word = why == Unfit::newer ? "newer" : "damaged";
  std::error_code error;
  std::string target;
  for (int n = 1; target.empty() || fs::exists(target, error); ++n) target = fmt::format("{}.{}-{}", path, word, n);
  fs::rename(path, target, error);
  if (error) return fail(Errc::io, "{} is {} and could not be set aside: {}", path, word, error.message());
  for (const auto* suffix : {"-wal", "-shm"}) {
    if (fs::exists(path + suffix, error)) fs::rename(path + suffix, target + suffix, error);
    if (error) return fail(Errc::io, "{}{} could not be set aside: {}", path, suffix, error.message());
  }
  return target;
}

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<SqliteStore::Opened> SqliteStore::open(const std::string& directory) {
  std::error_code made;
  fs::create_directories(directory, made);
  if (made) return fail(Errc::io, "cannot create {}: {}", directory, made.message());
  const auto path = (fs::path(directory) / "registry.db").string();
  // Keys may be secrets: ours alone from its first byte. SQLite gives the journal the same mode.
  if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) {
    ::fchmod(fd, 0600);
    ::close(fd);
  }

  const auto attempt = [&path]() -> tl::expected<Opened, Refusal> {
    try {
      auto impl = std::make_unique<Impl>(path);
      const int version = impl->db.execAndGet("PRAGMA user_version").getInt();
      if (version > schema_version) {
        return tl::unexpected(Refusal{
            Error{Errc::io, fmt::format("{} has schema {}, this devstack knows {}", path, version, schema_version)},
            Unfit::newer});
      }
      if (version < 0) {
        return tl::unexpected(Refusal{Error{Errc::io, fmt::format("{} has schema {}", path, version)}, Unfit::damaged});
      }
      impl->migrate(version);
      auto rows = impl->read_all();
      if (!rows) return tl::unexpected(Refusal{std::move(rows).error().with_context(path), Unfit::damaged});
      Opened opened;
      opened.rows = std::move(*rows);
      Statement id(impl->db, "SELECT value FROM meta WHERE name = 'node_id'");
      if (id.executeStep()) opened.node_id = bytes(id.getColumn(0));
      id.reset();
      opened.store.reset(new SqliteStore(std::move(impl)));
      return opened;
    } catch (const SQLite::Exception& error) {
      return tl::unexpected(refusal(error, path));
    }
  };

  auto opened = attempt();
  if (opened) return std::move(*opened);
  if (!opened.error().unfit) return tl::unexpected(std::move(opened.error().error));
  const auto why = *opened.error().unfit;
  TRY(const auto aside, set_aside(path, why));
  auto notice = why == Unfit::newer
                    ? fmt::format("{} was written by a newer devstack: set aside as {}, starting empty", path, aside)
                    : fmt::format("{} is damaged ({}): set aside as {}, starting empty", path,
                                  opened.error().error.message, aside);
  opened = attempt();
  if (!opened) return tl::unexpected(std::move(opened.error().error));
  opened->notice = std::move(notice);
  return std::move(*opened);
}

Result<void> SqliteStore::commit(const std::vector<Row>& rows) {
  try {
    SQLite::Transaction transaction(impl_->db);
    for (const auto& row : rows) {
      std::visit([&](const auto& value) { impl_->write(value, row.kind); }, row.value);
    }
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& error) {
    return fail(Errc::io, "the registry could not be written: {}", error.what());
  }
}

Result<void> SqliteStore::set_node_id(const std::string& id) {
  try {
    impl_->put_body("INSERT OR REPLACE INTO meta VALUES(?, ?)", "node_id", id);
    return {};
  } catch (const SQLite::Exception& error) {
    return fail(Errc::io, "the registry could not be written: {}", error.what());
  }
}

}  // namespace devstack::registry
