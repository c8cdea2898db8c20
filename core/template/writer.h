#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

/// Files that never stand half written: a temporary file in the same folder, fsync, rename. Any thread.
namespace devstack::templates {

namespace asio = boost::asio;

struct Output {
  std::string destination;  ///< absolute; missing folders are made (0755)
  std::string perms;        ///< octal; "" keeps the file's mode, 0644 for a new one
  /// Shell command on the new content before the swap: `{}` is the temporary file's path, $FILE too. "" = none.
  std::string check;
  std::string working_dir = {};  ///< of the check; "" = ours
};

enum class Written { unchanged, changed };

/// Writes only when the bytes (or the asked-for mode) differ; then the owner is kept. A check that fails or takes
/// longer than 30 s leaves the old file and is Errc::failed with its output; file errors are Errc::io and name the
/// path.
asio::awaitable<Result<Written>> write_file(Output output, std::string content,
                                            std::map<std::string, std::string> environment);

/// A shell command with 30 s to end, in `working_dir` ("" = ours); its output goes to the log. Not zero is Errc::failed
/// with the code and the last line.
asio::awaitable<Result<void>> run_command(std::string command, std::map<std::string, std::string> environment,
                                          std::string working_dir = {});

}  // namespace devstack::templates
