#include "cmd/devstack/hello_image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/base/log.h"
#include "core/docker/tar.h"

extern "C" const char devstack_hello_program[], devstack_hello_program_end[];

namespace devstack {
namespace {

constexpr std::string_view kImage = "devstack/hello";
constexpr std::string_view kLabel = "io.devstack.hello";

std::string_view program() {
  return {devstack_hello_program, static_cast<std::size_t>(devstack_hello_program_end - devstack_hello_program)};
}

/// FNV-1a: tells versions of our own program apart, nothing more.
std::string fingerprint(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

bool names_hello(std::string_view image) { return image == kImage || image == std::string(kImage) + ":latest"; }

}  // namespace

asio::awaitable<Result<bool>> provide_hello_image(docker::Client client, std::string image) {
  if (!names_hello(image)) co_return false;
  const std::string version = fingerprint(program());
  const auto known = co_await client.inspect_image(std::string(kImage));
  if (known) {
    const auto label = known->labels.find(std::string(kLabel));
    if (label != known->labels.end() && label->second == version) co_return true;
  } else if (known.error().code != Errc::not_found) {
    co_return tl::unexpected(known.error());
  }
  std::vector<docker::TarEntry> files;
  files.push_back(docker::TarEntry{"hello", std::string(program()), 0755});
  const std::vector<std::string> changes{"ENTRYPOINT [\"/hello\"]", "EXPOSE 8080", "USER 65534:65534",
                                         fmt::format("LABEL {}={}", kLabel, version)};
  CO_TRY(auto id, co_await client.import_image(std::string(kImage), docker::tar_of(files), changes));
  log::info("docker", "made the image {} ({})", kImage, id.substr(0, 19));
  co_return true;
}

Result<void> write_hello_program(const std::string& dir) {
  namespace fs = std::filesystem;
  const fs::path path = fs::path(dir) / "hello";
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return fail(Errc::io, "cannot make {}: {}", dir, error.message());
  if (fs::exists(path, error) && fs::file_size(path, error) == program().size()) {
    std::ifstream in(path, std::ios::binary);
    std::string there((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (there == program()) return {};
  }
  // A running copy cannot be written over ("text file busy"): replace the name instead.
  const fs::path temporary = path.string() + ".new";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(program().data(), static_cast<std::streamsize>(program().size()));
  out.close();
  if (!out) return fail(Errc::io, "cannot write {}", temporary.string());
  chmod(temporary.c_str(), 0755);
  fs::rename(temporary, path, error);
  if (error) return fail(Errc::io, "cannot write {}: {}", path.string(), error.message());
  return {};
}

}  // namespace devstack
