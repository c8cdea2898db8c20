#include "core/registry/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "core/registry/store_records.h"
#include "core/registry/store_tables.h"

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
    "CREATE TABLE journal(number INTEGER PRIMARY KEY, records BLOB NOT NULL);",
};
constexpr int schema_version = static_cast<int>(std::size(migrations));

/// Why an existing file is not used.
enum class Unfit { damaged, newer };

struct Refusal {
  Error error;
  std::optional<Unfit> unfit;  ///< nothing: the file may be fine, the system is not
};

/// So many records of the journal go to their tables with a commit at least.
constexpr std::size_t shortest_slice = 16;
/// The journal goes to the tables when it has grown to this part of the data: of every page about as many rows have
/// changed by then, however many pages there are.
constexpr std::size_t data_to_journal = 2;

/// What of the journal is on its way to the tables.
struct Fold {
  std::string bytes;
  std::vector<Record> records;  ///< of `bytes`
  std::size_t done = 0;
  std::int64_t last = 0;  ///< number of the last commit it holds
};

}  // namespace

struct SqliteStore::Impl {
  Impl(const std::string& path, std::size_t s) : db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE), shortest(s) {
    db.setBusyTimeout(300);
    // Exclusive: a second devstack on the same directory is refused, and the WAL needs no shared memory.
    db.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL;"
        "PRAGMA journal_size_limit = 16777216;"
        // Let the log grow to its limit before it is copied back, so that a page changed often is copied once; and hold
        // what is changed often.
        "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000;"
        // Debian's default writes zeros over every page that the journal gives back.
        "PRAGMA secure_delete = FAST;");
    // Takes the lock now, not at the first write, and keeps it.
    db.exec("BEGIN IMMEDIATE; COMMIT;");
  }

  /// Writes to the file where it is not so yet.
  void log_ahead() { db.exec("PRAGMA journal_mode = WAL"); }

  void append_to_journal(const std::string& records) {
    auto& s = tables.statement("INSERT INTO journal VALUES(?, ?)");
    s.bind(1, last_number + 1);
    bind_blob(s, 2, records);
    s.exec();
  }

  Result<void> commit(const std::string& records, std::size_t rows) {
    const auto slice = std::min(fold.records.size() - fold.done, std::max(shortest_slice, 2 * rows));
    const bool last_slice = !fold.records.empty() && fold.done + slice == fold.records.size();
    SQLite::Transaction transaction(db);
    append_to_journal(records);
    CHECK(tables.bring(fold.records.data() + fold.done, slice));
    if (last_slice) {
      auto& s = tables.statement("DELETE FROM journal WHERE number <= ?");
      s.bind(1, fold.last);
      s.exec();
      measure_data();
    }
    transaction.commit();
    ++last_number;
    young += records;
    fold.done += slice;
    if (last_slice) fold = {};
    if (fold.records.empty() && young.size() >= std::max(shortest, data_size / data_to_journal)) begin_fold();
    return {};
  }

  /// Cannot fail: what it follows is stored already.
  void begin_fold() {
    fold.bytes = std::exchange(young, {});
    fold.last = last_number;
    auto records = read_records(fold.bytes);
    if (records) fold.records = last_of_each_row(std::move(*records));
  }

  void measure_data() {
    const auto number = [this](const char* pragma) {
      return static_cast<std::size_t>(db.execAndGet(pragma).getInt64());
    };
    data_size = number("PRAGMA page_count") * number("PRAGMA page_size");
  }

  /// In place of everything that is there.
  Result<void> replace_all(const std::string& bytes) {
    TRY(auto records, read_records(bytes));
    records = last_of_each_row(std::move(records));
    SQLite::Transaction transaction(db);
    tables.clear();
    db.exec("DELETE FROM journal");
    CHECK(tables.bring(records.data(), records.size()));
    transaction.commit();
    young.clear();
    fold = {};
    return {};
  }

  std::string node_id() {
    Statement s(db, "SELECT value FROM meta WHERE name = 'node_id'");
    return s.executeStep() ? blob_of(s.getColumn(0)) : "";
  }

  /// Everything of a file with this user_version, with what the last process left in the journal at its tables. A
  /// damaged file stays as it is: nothing is written before all is read.
  Result<std::vector<Row>> take_in(int version) {
    SQLite::Transaction transaction(db);
    migrate(version);
    CHECK(fold_all());
    TRY(auto rows, tables.read());
    transaction.commit();
    return rows;
  }

  Result<void> fold_all() {
    std::string bytes;
    for (Statement s(db, "SELECT records FROM journal ORDER BY number"); s.executeStep();) {
      bytes += blob_of(s.getColumn(0));
    }
    if (bytes.empty()) return {};
    TRY(auto records, read_records(bytes));
    records = last_of_each_row(std::move(records));
    CHECK(tables.bring(records.data(), records.size()));
    db.exec("DELETE FROM journal");
    return {};
  }

  void migrate(int from) {
    for (int step = from; step < schema_version; ++step) {
      db.exec(migrations[step]);
      db.exec(fmt::format("PRAGMA user_version = {}", step + 1));
    }
  }

  Database db;
  StoreTables tables{db};

  // The journal: in it are the commits of `fold`, then those of `young`. Records of `fold` that are at their tables are
  // still in it until all are, since a record may be brought there twice.
  const std::size_t shortest;  ///< bytes of `young` at which its fold begins, while there is little data
  std::size_t data_size = 0;   ///< of the file, when it was last looked at
  std::int64_t last_number = 0;
  std::string young;
  Fold fold;
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

Result<SqliteStore::Opened> SqliteStore::open(const std::string& directory, std::size_t shortest_journal) {
  std::error_code made;
  fs::create_directories(directory, made);
  if (made) return fail(Errc::io, "cannot create {}: {}", directory, made.message());
  const auto path = (fs::path(directory) / "registry.db").string();
  // Keys may be secrets: ours alone from its first byte. SQLite gives the journal the same mode.
  if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) {
    ::fchmod(fd, 0600);
    ::close(fd);
  }

  const auto attempt = [&]() -> tl::expected<Opened, Refusal> {
    try {
      auto impl = std::make_unique<Impl>(path, shortest_journal);
      const int version = impl->db.execAndGet("PRAGMA user_version").getInt();
      if (version > schema_version) {
        return tl::unexpected(Refusal{
            Error{Errc::io, fmt::format("{} has schema {}, this devstack knows {}", path, version, schema_version)},
            Unfit::newer});
      }
      if (version < 0) {
        return tl::unexpected(Refusal{Error{Errc::io, fmt::format("{} has schema {}", path, version)}, Unfit::damaged});
      }
      const bool fresh = impl->db.execAndGet("PRAGMA page_count").getInt() == 0;
      if (fresh) impl->log_ahead();
      Opened opened;
      if (version > 0) opened.node_id = impl->node_id();
      auto rows = impl->take_in(version);
      if (!rows) return tl::unexpected(Refusal{std::move(rows).error().with_context(path), Unfit::damaged});
      if (!fresh) impl->log_ahead();
      impl->measure_data();
      opened.rows = std::move(*rows);
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
  const auto is_clear = [](const Row& row) { return std::holds_alternative<ClearRow>(row.value); };
  const auto clear = std::find_if(rows.rbegin(), rows.rend(), is_clear);
  std::string records;
  for (auto row = clear.base(); row != rows.end(); ++row) append_record(records, *row);
  try {
    return clear == rows.rend() ? impl_->commit(records, rows.size()) : impl_->replace_all(records);
  } catch (const SQLite::Exception& error) {
    return fail(Errc::io, "the registry could not be written: {}", error.what());
  }
}

Result<void> SqliteStore::set_node_id(const std::string& id) {
  try {
    auto& s = impl_->tables.statement("INSERT OR REPLACE INTO meta VALUES('node_id', ?)");
    s.bind(1, id);
    s.exec();
    return {};
  } catch (const SQLite::Exception& error) {
    return fail(Errc::io, "the registry could not be written: {}", error.what());
  }
}

}  // namespace devstack::registry
