// Images from a Dockerfile, by the engine's classic builder:
// https://docs.docker.com/engine/api/v1.41/#operation/ImageBuild
#include <deque>

#include "core/docker/client.h"
#include "core/docker/errors.h"
#include "core/docker/frames.h"
#include "core/docker/wire.h"

namespace devstack::docker {
namespace {

/// A step of a build may be silent for long; nothing at all for this long is a failure.
constexpr auto kBuildIdle = std::chrono::minutes(30);
constexpr std::size_t kLastLines = 12;
constexpr std::size_t kLineMost = 4096;

/// The output of a build comes in pieces of any size.
class Lines {
 public:
  explicit Lines(std::function<void(const std::string&)> say) : say_(std::move(say)) {}
  void add(std::string_view text) {
    for (const char c : text) {
      if (c == '\n' || partial_.size() >= kLineMost) flush();
      if (c != '\n' && c != '\r') partial_.push_back(c);
    }
  }
  void flush() {
    if (partial_.empty()) return;
    last_.push_back(partial_);
    if (last_.size() > kLastLines) last_.pop_front();
    say_(std::exchange(partial_, {}));
  }
  [[nodiscard]] std::string last() const {
    std::string all;
    for (const auto& line : last_) all += "\n  " + line;
    return all;
  }

 private:
  std::function<void(const std::string&)> say_;
  std::string partial_;
  std::deque<std::string> last_;
};

}  // namespace

asio::awaitable<Result<std::string>> Client::build_image(BuildSpec spec, std::string context_tar, ImageSteps progress) {
  http::Request message;
  message.method = "POST";
  message.target = wire::build_path(spec);
  message.headers.set("Content-Type", "application/x-tar");
  if (!spec.registry_config.empty()) message.headers.set("X-Registry-Config", spec.registry_config);
  message.body = std::move(context_tar);
  const std::string name = spec.tags.empty() ? std::string() : spec.tags.front();
  std::string id, problem;
  Lines output([&](const std::string& line) {
    if (progress) progress({name, {}, line, 0, 0});
  });
  JsonSplitter objects([&](std::string_view text) {
    const auto step = wire::parse_progress(text);
    if (!step) return;
    if (!step->error.empty()) problem = step->error;
    if (!step->built.empty()) id = step->built;
    output.add(step->output);
    if (!step->status.empty() && progress) progress({name, step->id, step->status, step->current, step->total});
  });
  ByteSink feed = [&objects](std::string_view bytes) { return objects.feed(bytes); };
  auto ended = co_await read_stream(std::move(message), {}, std::move(feed), kBuildIdle);
  output.flush();
  if (!problem.empty()) co_return fail(Errc::failed, "building {}: {}{}", name, problem, output.last());
  if (!ended) co_return tl::unexpected(std::move(ended).error().with_context("building " + name));
  if (id.empty()) co_return fail(Errc::parse, "building {}: the engine's answer holds no image id", name);
  co_return id;
}

}  // namespace devstack::docker
