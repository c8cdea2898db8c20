// Files in containers: https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerArchive
#include "core/base/base64.h"
#include "core/docker/client.h"
#include "core/docker/errors.h"
#include "core/docker/json.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

constexpr auto kIdle = std::chrono::minutes(1);
constexpr auto kUploadLimit = std::chrono::minutes(10);

std::string archive_path(std::string_view id, std::string_view path) {
  return fmt::format("/containers/{}/archive?path={}", http::encode_path(id, http::Slash::escape),
                     http::encode_path(path, http::Slash::escape));
}

/// Go's os.FileMode, not the system's: https://pkg.go.dev/io/fs#FileMode
constexpr std::int64_t kGoFolder = std::int64_t{1} << 31U;

}  // namespace

asio::awaitable<Result<std::string>> Client::get_archive(std::string id, std::string path, std::size_t most) {
  http::Request message;
  message.target = archive_path(id, path);
  std::string tar;
  ByteSink collect = [&](std::string_view bytes) -> Result<void> {
    if (tar.size() + bytes.size() > most) return fail(Errc::too_large, "{} is larger than {} bytes", path, most);
    tar.append(bytes);
    return {};
  };
  auto ended = co_await read_stream(std::move(message), {}, std::move(collect), kIdle);
  CO_CHECK(std::move(ended));
  co_return tar;
}

asio::awaitable<Result<void>> Client::put_archive(std::string id, std::string path, std::string tar, bool to_its_user) {
  http::Request message;
  message.method = "PUT";
  message.target = archive_path(id, path) + (to_its_user ? "&copyUIDGID=1" : "");
  message.headers.set("Content-Type", "application/x-tar");
  message.body = std::move(tar);
  ByteSink ignore = [](std::string_view) -> Result<void> { return {}; };
  co_return co_await read_stream(std::move(message), {}, std::move(ignore), kUploadLimit);
}

asio::awaitable<Result<PathStat>> Client::stat_path(std::string id, std::string path) {
  CO_TRY(const auto answer, co_await call("HEAD", archive_path(id, path)));
  const auto header = answer.headers.get("X-Docker-Container-Path-Stat");
  if (!header) co_return fail(Errc::parse, "the engine does not say what {} is", path);
  CO_TRY(const auto root, wire::parse_object(decode_base64_prefix(*header)));
  co_return PathStat{wire::text_at(root, "name"), wire::number_at(root, "size"),
                     (wire::number_at(root, "mode") & kGoFolder) != 0, wire::text_at(root, "linkTarget")};
}

}  // namespace devstack::docker
