// A registry.db that somebody else wrote to. An input that begins with `SQLite` is the file; of any other, every five
// bytes overwrite one byte of a good file: three of its place, how many follow alike, and the byte.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/registry/sqlite_store.h"
#include "core/registry/state.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/registry.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;
namespace fs = std::filesystem;

/// A folder in memory where there is one, so that nothing waits for a disk. It goes with the program.
struct Folder {
  fs::path path =
      fs::path(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") / ("devstack-fuzz-" + std::to_string(getpid()));
  Folder() { clear(); }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void clear() const {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  [[nodiscard]] fs::path file() const { return path / "registry.db"; }
};

const Folder& folder() {
  static const Folder made;
  return made;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<registry::Row> some_rows() {
  const auto state = fuzz::small_registry();
  std::vector<registry::Row> rows;
  for (const auto& node : state.nodes()) rows.push_back({node, registry::Row::Kind::put});
  for (const auto& service : state.services_of("node1")) rows.push_back({service, registry::Row::Kind::put});
  for (const auto& check : state.checks_of_node("node1")) rows.push_back({check, registry::Row::Kind::put});
  for (const auto& entry : state.kv_prefix("")) rows.push_back({entry, registry::Row::Kind::put});
  for (const auto& session : state.sessions()) rows.push_back({session, registry::Row::Kind::put});
  rows.push_back({registry::IndexRow{"index", 60}, registry::Row::Kind::put});
  return rows;
}

const std::string& good_file() {
  static const std::string made = [] {
    // Opened again, the rows of the first time go to the tables; those of the second stay in the journal.
    for (int time = 0; time < 2; ++time) {
      auto opened = registry::SqliteStore::open(folder().path.string());
      require(opened && opened->store->commit(some_rows()), "a good file can be made");
    }
    return read(folder().file());
  }();
  return made;
}

std::string patched(std::string_view patches) {
  std::string bytes = good_file();
  for (; patches.size() >= 5; patches.remove_prefix(5)) {
    const auto at = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(patches[i])); };
    const std::size_t place = (at(0) << 16U | at(1) << 8U | at(2)) % bytes.size();
    const std::size_t count = std::min(at(3) + 1, bytes.size() - place);
    bytes.replace(place, count, std::string(count, patches[4]));
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 65536) return 0;
  const auto input = fuzz::text_of(data, size);
  const auto bytes = input.starts_with("SQLite") ? std::string(input) : patched(input);
  folder().clear();
  std::ofstream(folder().file(), std::ios::binary) << bytes;
  {
    auto opened = registry::SqliteStore::open(folder().path.string());
    if (!opened) {
      require(opened.error().code == Errc::io, "a file that is not ours to read is an I/O error");
      require(!opened.error().message.empty(), "a refusal says why");
      require(read(folder().file()) == bytes || !fs::is_empty(folder().path), "a refused file is not lost");
      return 0;
    }
    if (!opened->notice.empty()) {
      require(opened->rows.empty(), "what is begun afresh is empty");
      require(
          read(folder().path / "registry.db.damaged-1") == bytes || fs::exists(folder().path / "registry.db.newer-1"),
          "a damaged file is kept");
    }
    (void)fuzz::described(registry::State::restore(opened->rows, 1));
    // May fail where the damage is; must not be half done.
    if (!opened->store->commit(some_rows())) return 0;
  }
  const auto again = registry::SqliteStore::open(folder().path.string());
  require(again.has_value() || again.error().code == Errc::io, "what was written can be opened");
  return 0;
}
