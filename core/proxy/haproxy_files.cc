#include "core/proxy/haproxy_files.h"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace devstack::proxy::haproxy {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t tail_bytes = 2048;

Result<void> write_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) return fail(Errc::io, "cannot write {}", path);
  return {};
}

}  // namespace

Result<void> make_private_folder(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) return fail(Errc::io, "cannot make the folder {}: {}", path, error.message());
  if (made) fs::permissions(path, fs::perms::owner_all, error);
  return {};
}

Result<void> write_files(const std::vector<File>& files) {
  for (const auto& file : files) {
    CHECK(make_private_folder(fs::path(file.path).parent_path().string()));
    CHECK(write_file(file.path, file.content));
  }
  return {};
}

void point_to(const std::string& link, const std::string& target) {
  std::error_code ignored;
  fs::remove(link + ".new", ignored);
  fs::create_symlink(target, link + ".new", ignored);
  fs::rename(link + ".new", link, ignored);
}

Result<void> write_identity(const std::string& path, const process::Identity& identity) {
  CHECK(write_file(path + ".new", fmt::format("{} {} {}\n", identity.pid, identity.start_time, identity.boot_id)));
  std::error_code error;
  fs::rename(path + ".new", path, error);
  if (error) return fail(Errc::io, "cannot write {}: {}", path, error.message());
  return {};
}

std::optional<process::Identity> read_identity(const std::string& path) {
  std::ifstream in(path);
  process::Identity identity;
  in >> identity.pid >> identity.start_time >> identity.boot_id;
  if (!in || identity.pid <= 1) return std::nullopt;
  return identity;
}

std::uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

std::string read_from(const std::string& path, std::uint64_t from) {
  const auto size = size_of(path);
  if (size > from + tail_bytes) from = size - tail_bytes;
  if (size <= from) return {};
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(from));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace devstack::proxy::haproxy
