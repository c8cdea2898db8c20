#include "core/supervisor/grants.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace devstack::supervisor {
namespace {

constexpr std::uint32_t kMode = 0444;

struct Grant {
  const stack::FileGrant* grant;
  const stack::FileDef* file;
  std::string_view kind;  ///< "config", "secret"
};

Result<std::vector<Grant>> grants_of(const stack::ServiceSpec& service, const FileDefs& configs,
                                     const FileDefs& secrets) {
  std::vector<Grant> all;
  const auto add = [&](const std::vector<stack::FileGrant>& grants, const FileDefs& defined,
                       std::string_view kind) -> Result<void> {
    for (const auto& grant : grants) {
      const auto found = defined.find(grant.source);
      if (found == defined.end()) {
        return fail(Errc::stack_file, "services.{}: the {} \"{}\" is not defined", service.name, kind, grant.source);
      }
      all.push_back({&grant, &found->second, kind});
    }
    return {};
  };
  CHECK(add(service.configs, configs, "config"));
  CHECK(add(service.secrets, secrets, "secret"));
  return all;
}

std::optional<unsigned> number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return static_cast<unsigned>(std::strtoul(text.c_str(), nullptr, 10));
}

/// A new file in the place of the old one: a container that has the old one keeps it whole.
Result<void> write_file(const std::string& path, const std::string& content, const stack::FileGrant& grant) {
  const auto complaint = [&path] { return fail(Errc::io, "{} cannot be written: {}", path, std::strerror(errno)); };
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return complaint();
  std::string_view left = content;
  while (!left.empty()) {
    const auto written = ::write(file, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      ::close(file);
      return complaint();
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  const auto uid = number(grant.uid);
  const auto gid = number(grant.gid);
  // Without root's rights it stays ours, and the mode is what lets the container read it.
  if (::geteuid() == 0 && (uid || gid)) {
    [[maybe_unused]] const int done = ::fchown(file, uid.value_or(0), gid.value_or(0));
  }
  ::fchmod(file, grant.mode.value_or(kMode));
  ::close(file);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return complaint();
  return {};
}

}  // namespace

Result<stack::Texts> write_grants(const stack::ServiceSpec& service, const FileDefs& configs, const FileDefs& secrets,
                                  const std::string& folder) {
  TRY(const auto all, grants_of(service, configs, secrets));
  stack::Texts binds;
  for (const auto& [grant, file, kind] : all) {
    if (file->external) {
      return fail(
          Errc::invalid_argument,
          "services.{}: the {} \"{}\" is external, and only a swarm keeps those: give it file:, environment: or "
          "content:",
          service.name, kind, grant->source);
    }
    std::string source = file->file;
    if (source.empty()) {
      std::error_code error;
      std::filesystem::create_directories(folder, error);
      if (error) return fail(Errc::io, "{} cannot be made: {}", folder, error.message());
      ::chmod(folder.c_str(), 0700);
      source = fmt::format("{}/{}-{}-{:o}-{}-{}", folder, kind, grant->source, grant->mode.value_or(kMode), grant->uid,
                           grant->gid);
      CHECK(write_file(source, file->content, *grant));
    } else if (::access(source.c_str(), F_OK) != 0) {
      return fail(Errc::not_found, "services.{}: the {} \"{}\" is to be {}, and there is no such file", service.name,
                  kind, grant->source, source);
    }
    binds.push_back(fmt::format("{}:{}:ro", source, grant->target));
  }
  return binds;
}

}  // namespace devstack::supervisor
