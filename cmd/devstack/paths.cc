#include "cmd/devstack/paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

extern char** environ;

namespace devstack {

std::string state_dir() {
  const auto set = [](const char* name) -> const char* {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
  };
  if (const char* given = set("DEVSTACK_STATE_DIR")) return std::filesystem::absolute(given).string();
  if (geteuid() == 0) return "/var/lib/devstack";
  if (const char* xdg = set("XDG_STATE_HOME")) return std::string(xdg) + "/devstack";
  if (const char* home = set("HOME")) return std::string(home) + "/.local/state/devstack";
  return "/tmp/devstack-" + std::to_string(geteuid());
}

Result<void> make_state_dir(const std::string& dir) {
  std::error_code error;
  if (std::filesystem::create_directories(dir, error)) {
    // Others may pass through to what they are to run (bin/), not look around.
    std::filesystem::permissions(dir, std::filesystem::perms(0711), error);
  }
  if (error) {
    return fail(Errc::io, "cannot make the state directory {}: {}; set DEVSTACK_STATE_DIR to one you may write", dir,
                error.message());
  }
  if (access(dir.c_str(), W_OK) != 0) {
    return fail(Errc::permission, "the state directory {} is not writable; set DEVSTACK_STATE_DIR to one you may write",
                dir);
  }
  return {};
}

std::string own_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "devstack" : path.string();
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace devstack
