// Images of the Engine API: https://docs.docker.com/engine/api/v1.41/#tag/Image
#include "core/docker/client.h"
#include "core/docker/errors.h"
#include "core/docker/frames.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

/// A registry may be slow to begin a layer; nothing at all for this long is a failure.
constexpr auto kPullIdle = std::chrono::minutes(5);
constexpr auto kImportLimit = std::chrono::minutes(5);

}  // namespace

asio::awaitable<Result<Image>> Client::inspect_image(std::string name) {
  CO_TRY(const auto answer,
         co_await call("GET", fmt::format("/images/{}/json", http::encode_path(name, http::Slash::keep))));
  co_return wire::parse_image(answer.body);
}

asio::awaitable<Result<std::vector<Image>>> Client::list_images(std::vector<std::string> labels) {
  std::string path = "/images/json";
  if (!labels.empty()) path += "?filters=" + http::encode_path(wire::label_filter(labels), http::Slash::escape);
  CO_TRY(const auto answer, co_await call("GET", std::move(path)));
  co_return wire::parse_image_list(answer.body);
}

asio::awaitable<Result<void>> Client::pull_image(std::string name, ImageSteps progress, std::string platform,
                                                 std::string auth) {
  const auto parts = wire::split_image_name(name);
  http::Request message;
  message.method = "POST";
  message.target =
      fmt::format("/images/create?fromImage={}&tag={}", http::encode_path(parts.repository, http::Slash::escape),
                  http::encode_path(parts.tag, http::Slash::escape));
  if (!platform.empty()) message.target += "&platform=" + http::encode_path(platform, http::Slash::escape);
  if (!auth.empty()) message.headers.set("X-Registry-Auth", std::move(auth));
  std::string problem;  // the status line was sent long before: errors come as lines of a 200 answer
  JsonSplitter lines([&](std::string_view line) {
    const auto step = wire::parse_progress(line);
    if (!step) return;
    if (!step->error.empty()) problem = step->error;
    if (step->status.empty() || !progress) return;
    progress({name, step->id, step->status, step->current, step->total});
  });
  ByteSink feed = [&lines](std::string_view bytes) { return lines.feed(bytes); };
  auto ended = co_await read_stream(std::move(message), {}, std::move(feed), kPullIdle);
  if (!problem.empty()) co_return fail(Errc::failed, "pulling {}: {}", name, problem);
  if (!ended) co_return tl::unexpected(std::move(ended).error().with_context("pulling " + name));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Client::tag_image(std::string name, std::string as) {
  const auto parts = wire::split_image_name(as);
  auto path = fmt::format("/images/{}/tag?repo={}&tag={}", http::encode_path(name, http::Slash::keep),
                          http::encode_path(parts.repository, http::Slash::escape),
                          http::encode_path(parts.tag, http::Slash::escape));
  CO_TRY([[maybe_unused]] const auto answer, co_await call("POST", std::move(path)));
  co_return Result<void>();
}

asio::awaitable<Result<std::string>> Client::import_image(std::string name, std::string tar,
                                                          std::vector<std::string> changes) {
  const auto parts = wire::split_image_name(name);
  http::Request message;
  message.method = "POST";
  message.target =
      fmt::format("/images/create?fromSrc=-&repo={}&tag={}", http::encode_path(parts.repository, http::Slash::escape),
                  http::encode_path(parts.tag, http::Slash::escape));
  for (const auto& change : changes) {
    message.target += "&changes=" + http::encode_path(change, http::Slash::escape);
  }
  message.headers.set("Content-Type", "application/x-tar");
  message.body = std::move(tar);
  std::string id, problem;
  JsonSplitter lines([&](std::string_view line) {
    const auto step = wire::parse_progress(line);
    if (!step) return;
    if (!step->error.empty()) problem = step->error;
    if (step->status.starts_with("sha256:")) id = step->status;
  });
  ByteSink feed = [&lines](std::string_view bytes) { return lines.feed(bytes); };
  auto ended = co_await read_stream(std::move(message), {}, std::move(feed), kImportLimit);
  if (!problem.empty()) co_return fail(Errc::failed, "importing {}: {}", name, problem);
  if (!ended) co_return tl::unexpected(std::move(ended).error().with_context("importing " + name));
  if (id.empty()) co_return fail(Errc::parse, "importing {}: the engine's answer holds no image id", name);
  co_return id;
}

asio::awaitable<Result<void>> Client::remove_image(std::string name) {
  auto answer = co_await call("DELETE", "/images/" + http::encode_path(name, http::Slash::keep));
  if (!answer && answer.error().code != Errc::not_found) co_return tl::unexpected(std::move(answer).error());
  co_return Result<void>();
}

}  // namespace devstack::docker
