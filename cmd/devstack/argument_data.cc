#include "cmd/devstack/argument_data.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace devstack {
namespace {

constexpr std::size_t kMost = 64U << 20U;

Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string out;
  std::array<char, 65536> buffer{};
  for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
    out.append(buffer.data(), got);
    if (out.size() > kMost) return fail(Errc::too_large, "{} is larger than 64 MiB", name);
  }
  if (std::ferror(file) != 0) return fail(Errc::io, "cannot read {}: {}", name, std::strerror(errno));
  return out;
}

}  // namespace

Result<std::string> file_data(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return fail(Errc::io, "cannot read {}: {}", path, std::strerror(errno));
  return read_all(file.get(), path);
}

Result<std::string> argument_data(const std::string& argument) {
  if (argument == "-") return read_all(stdin, "standard input");
  if (argument.starts_with('@')) return file_data(argument.substr(1));
  return argument;
}

}  // namespace devstack
