// The image of a service: there, pulled or built.
#include <ctime>

#include "core/base/log.h"
#include "core/docker/build_context.h"
#include "core/stack/images.h"
#include "core/stack/pull_policy.h"
#include "core/supervisor/container_shared.h"

namespace devstack::supervisor {
namespace {

/// "pulling redis:7: 3 of 7 layers, 41 MB of 80 MB"
class PullNote {
 public:
  PullNote(std::string image, ContainerShared::Note say) : image_(std::move(image)), say_(std::move(say)) {}
  void take(const docker::ImageProgress& step) {
    if (step.layer.empty() || step.layer == image_.substr(image_.rfind(':') + 1)) return;
    auto& layer = layers_[step.layer];
    if (step.status == "Downloading") layer.have = step.current, layer.size = std::max(layer.size, step.total);
    layer.done = step.status == "Pull complete" || step.status == "Already exists";
    std::int64_t have = 0, size = 0;
    std::size_t done = 0;
    for (const auto& [id, one] : layers_) {
      have += one.done ? one.size : one.have;
      size += one.size;
      done += one.done ? 1 : 0;
    }
    auto text = fmt::format("pulling {}: {} of {} layers", image_, done, layers_.size());
    if (size > 0) text += fmt::format(", {} of {} MB", have / 1'000'000, size / 1'000'000);
    if (text != said_) say_(said_ = std::move(text));
  }

 private:
  struct Layer {
    std::int64_t have = 0, size = 0;
    bool done = false;
  };
  std::string image_, said_;
  ContainerShared::Note say_;
  std::map<std::string, Layer> layers_;
};

docker::BuildSpec build_spec(const stack::ServiceSpec& service, const std::string& image, bool pull) {
  const stack::BuildSettings& from = *service.build;
  docker::BuildSpec spec;
  spec.tags = {image};
  spec.tags.insert(spec.tags.end(), from.tags.begin(), from.tags.end());
  spec.args = from.args;
  spec.labels = from.labels;
  spec.cache_from = from.cache_from;
  spec.extra_hosts = from.extra_hosts;
  spec.target = from.target;
  spec.network = from.network;
  spec.platform = !service.platform.empty() ? service.platform : from.platforms.empty() ? "" : from.platforms.front();
  spec.shm_size = from.shm_size;
  for (const auto& [name, limit] : from.ulimits) spec.ulimits.push_back({name, limit.soft, limit.hard});
  spec.pull = from.pull || pull;
  spec.no_cache = from.no_cache;
  return spec;
}

/// What the engine's classic builder cannot do is said, not passed over.
std::string beyond_classic_builder(const stack::BuildSettings& build) {
  if (!build.secrets.empty()) return "secrets";
  if (!build.ssh.empty()) return "ssh";
  if (!build.additional_contexts.empty()) return "additional_contexts";
  if (!build.cache_to.empty()) return "cache_to";
  if (build.platforms.size() > 1) return "platforms (more than one)";
  if (build.privileged) return "privileged";
  return {};
}

bool is_url(const std::string& context) {
  return context.find("://") != std::string::npos || context.starts_with("git@") || context.starts_with("github.com/");
}

}  // namespace

bool ContainerShared::wants_refresh(const stack::ServiceSpec& service) const {
  const auto& policy = service.pull_policy;
  if (service.build && (build_wanted_ || policy == "build")) return true;
  return pull_wanted_ == "always" || (pull_wanted_.empty() && (policy == "always" || stack::pull_age(policy)));
}

asio::awaitable<Result<docker::Image>> ContainerShared::ensure_image(stack::ServiceSpec service, Note note) {
  const auto image = stack::image_name(service, project);
  auto& own_turn = image_turns_[image];
  if (!own_turn) own_turn = std::make_unique<Turns>(executor, 1);
  const auto turn = co_await own_turn->take();
  auto found = co_await engine.client().inspect_image(image);
  if (!found && found.error().code != Errc::not_found) co_return tl::unexpected<Error>(found.error());
  const bool there = found.has_value();
  if (there && (refreshed_.contains(image) || !wants_refresh(service))) co_return std::move(*found);
  const std::string& policy = pull_wanted_.empty() ? service.pull_policy : pull_wanted_;
  const bool build_it = service.build && (!there || build_wanted_ || service.pull_policy == "build");
  if (there && !build_it) {
    if (service.build && service.image.empty()) co_return std::move(*found);  // nobody else has it
    const auto most = stack::pull_age(policy);
    if (most && std::time(nullptr) - unix_time(found->created) < most->count()) co_return std::move(*found);
  }
  if (!there && options.provide_image && !service.build) {
    auto provided = co_await options.provide_image(image);
    if (!provided) co_return tl::unexpected<Error>(provided.error());
    if (*provided) co_return co_await engine.client().inspect_image(image);
  }
  Result<void> done;
  {
    const auto slot = co_await pulling_.take();
    if (build_it) {
      done = co_await build(service, image, note);
    } else if (policy == "never") {
      done = fail(Errc::not_found, "services.{}: the image {} is not there, and pull_policy is never: docker pull {}",
                  service.name, image, image);
    } else {
      done = co_await pull(service, image, note);
    }
  }
  note("");
  if (!done) co_return tl::unexpected<Error>(done.error());
  refreshed_.insert(image);
  co_return co_await engine.client().inspect_image(image);
}

CredentialSource ContainerShared::credential_source() const { return {options.docker_config, options.process_path}; }

asio::awaitable<Result<void>> ContainerShared::pull(stack::ServiceSpec service, std::string image, Note note) {
  log::info("supervisor", "{}: pulling {}", service.name, image);
  note("pulling " + image);
  PullNote progress(image, note);
  auto steps = [&progress](const docker::ImageProgress& step) { progress.take(step); };
  const auto registry = docker::registry_of(image);
  auto source = credential_source();
  const auto found = co_await registry_credentials(source, registry);
  std::string auth;
  if (!found.all.empty()) auth = docker::registry_auth(found.all.front());
  auto done = co_await engine.client().pull_image(image, steps, service.platform, std::move(auth));
  if (done) co_return Result<void>();
  auto error = std::move(done).error();
  error.message += login_advice(error.message, registry, found, source);
  co_return tl::unexpected(std::move(error).with_context("services." + service.name));
}

asio::awaitable<Result<void>> ContainerShared::build(stack::ServiceSpec service, std::string image, Note note) {
  const auto context = "services." + service.name + ".build";
  const auto& settings = *service.build;
  if (const auto beyond = beyond_classic_builder(settings); !beyond.empty()) {
    co_return fail(Errc::invalid_argument,
                   "{}: {} needs BuildKit, and devstack asks the engine's classic builder: build it with docker buildx "
                   "build -t {}, and set pull_policy: never",
                   context, beyond, image);
  }
  log::info("supervisor", "{}: building {} (classic builder)", service.name, image);
  note("building " + image);
  auto spec = build_spec(service, image, pull_wanted_ == "always");
  std::string tar;
  if (is_url(settings.context)) {
    spec.remote = settings.context;
    spec.dockerfile = settings.dockerfile;
  } else {
    auto read = [settings] {
      return docker::read_build_context(settings.context, settings.dockerfile, settings.dockerfile_inline);
    };
    auto packed = co_await disk_.run(std::move(read));
    if (!packed) co_return tl::unexpected(std::move(packed).error().with_context(context));
    spec.dockerfile = packed->dockerfile;
    tar = std::move(packed->tar);
  }
  auto steps = [&](const docker::ImageProgress& step) {
    log::info("supervisor", "{}: {}", service.name, step.status);
    note(fmt::format("building {}: {}", image, step.status));
  };
  auto source = credential_source();
  const auto found = co_await all_credentials(std::move(source));
  spec.registry_config = docker::registry_config(found.all);
  auto built = co_await engine.client().build_image(std::move(spec), std::move(tar), steps);
  if (built) co_return Result<void>();
  auto error = std::move(built).error();
  if (!found.problem.empty()) error.message += "; credentials could not be had: " + found.problem;
  co_return tl::unexpected(std::move(error).with_context(context));
}

}  // namespace devstack::supervisor
