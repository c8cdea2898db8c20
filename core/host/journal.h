#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/host/file_state.h"
#include "core/host/settings.h"

/// The journal of changes to the machine: a text file, a JSON object a line, each synced to the disk before what it
/// tells of is done. What is in it can be undone, after a crash between any two steps too.
namespace devstack::host {

/// One change of one path, about to be made.
struct Entry {
  std::string path;
  FileState before, after;
};
struct Told {};  ///< the programs that read the files of all entries before it know of them
struct Undone {  ///< `path` is as it was before its first entry
  std::string path;
};
/// HostSettings: what `setup` was asked for.
using Record = std::variant<HostSettings, Entry, Told, Undone>;

struct History {
  std::optional<HostSettings> settings;  ///< the last ones
  std::set<std::string> addresses;       ///< of our DNS, that any setup was asked for
  std::vector<Entry> entries;            ///< not undone, oldest first
  std::set<std::string> untold;          ///< paths that changed since the last Told
  std::size_t bytes = 0;                 ///< of whole records; what comes after is one that was being written
};

/// One line with its newline. Pure.
std::string encode(const Record& record);
/// The whole file's text. A last line that is not whole was never acted upon and is left out; any other damage is
/// Errc::parse. Pure.
Result<History> replay(std::string_view text);

/// What must be done to a path to take all its entries back. Pure.
struct Restoration {
  std::string path;
  FileState now, back;
  bool foreign = false;  ///< somebody else changed it between our changes or since: `back` keeps what is theirs
};
/// `now` gives what stands at a path. In the order to do them. With `force` nobody else's changes are kept.
std::vector<Restoration> restorations(const std::vector<Entry>& entries,
                                      const std::function<FileState(const std::string&)>& now, bool force);

/// The file, held by one process at a time. Synchronous.
class Journal {
 public:
  /// Reads `dir`/journal; with `hold` makes the folder and file, locks it and cuts a torn last line off.
  /// Errc::conflict when another process holds it. A symlink in the file's place is not followed.
  enum class Access { read, hold };
  static Result<Journal> open(const std::string& dir, Access access);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  [[nodiscard]] const History& history() const { return history_; }
  /// Returns once it is on the disk; a failed append leaves the file as it was.
  Result<void> append(const Record& record);
  /// Removes the file (and its folder) when nothing is left to undo.
  Result<void> close_if_empty();

 private:
  Journal(std::string dir, int fd);
  std::string dir_;
  int fd_;
  History history_;
};

}  // namespace devstack::host
