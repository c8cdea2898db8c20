// What a Docker engine says. The first byte tells which answer the rest is; streams come in pieces as well.
#include "core/docker/frames.h"
#include "core/docker/tar.h"
#include "core/docker/wire.h"
#include "core/registrator/registrations.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace devstack;  // NOLINT(google-build-using-namespace)
using fuzz::require;

void container(std::string_view text) {
  const auto parsed = docker::wire::parse_container(text);
  if (!parsed) return;
  require(!parsed->id.empty(), "a container has an id");
  for (const auto mode : {registrator::Mode::internal, registrator::Mode::published}) {
    registrator::RegistratorOptions options;
    options.mode = mode;
    options.hostname = "host";
    options.host_address = "10.0.0.1";
    std::vector<std::string> ids;
    for (const auto& made : registrator::registrations(*parsed, options, &*parsed)) {
      const auto& service = made.service;
      require(!service.id.empty() && !service.name.empty(), "a registration has an id and a name", text);
      require(service.port > 0 && service.port < 65536, "a registration's port is one", text);
      for (const auto& id : ids) require(id != service.id, "no two registrations share an id", text);
      ids.push_back(service.id);
      for (const auto& check : made.checks) require(!check.id.empty(), "a check has an id", text);
    }
  }
}

/// What comes out of a stream, however it was cut.
std::string split(std::string_view bytes, std::size_t step) {
  std::string seen;
  docker::JsonSplitter splitter([&](std::string_view object) { seen.append(object).push_back('\n'); }, 1000);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!splitter.feed(bytes.substr(0, step))) return seen + "(refused)";
  }
  return seen;
}

std::string demultiplex(std::string_view bytes, std::size_t step) {
  std::string out, err;
  docker::LogDemultiplexer frames(
      [&](docker::LogStream stream, std::string_view text) { (stream == docker::LogStream::out ? out : err) += text; });
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!frames.feed(bytes.substr(0, step))) return out + err + "(refused)";
  }
  return out + err;
}

void tar(std::string_view text) {
  std::vector<docker::TarEntry> entries;
  while (!text.empty() && entries.size() < 20) {
    auto line = fuzz::take_until(text, "\n");
    const auto path = fuzz::take_until(line, "=");
    entries.push_back({std::string(path), std::string(line), 0644});
  }
  const auto archive = docker::tar_of(entries);
  require(archive.size() % 512 == 0 && archive.size() >= 1024, "an archive is whole blocks");
}

void words(std::string_view text) {
  if (const auto port = docker::parse_container_port(text)) {
    const auto again = docker::parse_container_port(docker::to_string(*port));
    require(again && *again == *port, "a port reads back", text);
  }
  (void)docker::wire::split_image_name(text);
  docker::wire::EngineVersion engine;
  engine.api_version = text;
  engine.min_api_version = text;
  (void)docker::wire::choose_version(engine);
  (void)registrator::split_tags(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const auto text = fuzz::text_of(data, size).substr(1);
  switch (data[0]) {
    case 'c':
      container(text);
      break;
    case 'l':
      (void)docker::wire::parse_container_list(text);
      (void)docker::wire::parse_network_list(text);
      break;
    case 'n':
      (void)docker::wire::parse_network(text);
      (void)docker::wire::parse_image(text);
      break;
    case 'e':
      (void)docker::wire::parse_event(text);
      (void)docker::wire::parse_progress(text);
      (void)docker::wire::parse_exit_code(text);
      (void)docker::wire::parse_version(text);
      (void)docker::wire::text_field(text, "message");
      break;
    case 's':
      require(split(text, 1) == split(text, size), "borders between reads mean nothing to the splitter", text);
      break;
    case 'f':
      require(demultiplex(text, 1) == demultiplex(text, size), "borders between reads mean nothing to the frames");
      break;
    case 't':
      tar(text);
      break;
    default:
      words(text);
  }
  return 0;
}
