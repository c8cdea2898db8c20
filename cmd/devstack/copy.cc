// cp: files between this machine and a container, as `docker cp` has it.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/copy_paths.h"
#include "cmd/devstack/project_choice.h"
#include "cmd/devstack/terminal.h"
#include "core/docker/client.h"
#include "core/docker/tar.h"
#include "core/docker/tar_file.h"

namespace devstack {
namespace {

namespace fs = std::filesystem;

struct CopyFlags {
  std::string project;  ///< as ProjectClient takes it
  std::string from, to;
  int index = 0;
  bool archive = false, follow = false;
};

/// With links followed, what `path` itself leads to; links below it stay links.
Result<void> add_to_tar(std::string& tar, const fs::path& path, const std::string& name, docker::Links links) {
  TRY(const auto entry, docker::read_tar_entry(path.string(), name, links));
  if (!entry) return {};
  docker::append_tar_entry(tar, *entry);
  if (!entry->path.ends_with('/')) return {};
  std::error_code error;
  for (const auto& below : fs::directory_iterator(path, error)) {
    CHECK(add_to_tar(tar, below.path(), name + "/" + below.path().filename().string(), docker::Links::kept));
  }
  if (error) return fail(Errc::io, "cannot read {}: {}", path.string(), error.message());
  return {};
}

Result<void> write_entry(const fs::path& at, const docker::TarEntry& entry) {
  std::error_code error;
  const auto mode = static_cast<fs::perms>(entry.mode & 07777U);
  if (entry.path.ends_with('/')) {
    fs::create_directories(at, error);
    if (!error) fs::permissions(at, mode, error);
  } else if (!entry.link_target.empty()) {
    fs::remove(at, error);
    fs::create_symlink(entry.link_target, at, error);
  } else {
    fs::create_directories(at.parent_path(), error);
    if (fs::is_symlink(at)) fs::remove(at, error);  // never written through
    std::ofstream out(at, std::ios::binary | std::ios::trunc);
    out.write(entry.content.data(), static_cast<std::streamsize>(entry.content.size()));
    out.close();
    if (!out) return fail(Errc::io, "cannot write {}: {}", at.string(), std::strerror(errno));
    fs::permissions(at, mode, error);
  }
  if (error) return fail(Errc::io, "cannot write {}: {}", at.string(), error.message());
  return {};
}

/// With `named` what was asked for has that name, whatever it is called in the tar.
Result<void> unpack(const std::string& tar, const std::string& to, const std::string& named) {
  TRY(const auto entries, docker::read_tar(tar));
  std::error_code error;
  const bool into_folder = fs::is_directory(to, error);
  if (!into_folder && to.ends_with('/')) return fail(Errc::not_found, "{}: there is no such folder", to);
  for (const auto& entry : entries) {
    TRY(const auto below, unpacked_path(entry.path, into_folder && named.empty()));
    const auto root = into_folder ? fs::path(to) / named : fs::path(to);
    CHECK(write_entry(below.empty() ? root : root / below, entry));
  }
  return {};
}

asio::awaitable<Result<void>> copy_out(docker::Client client, std::string container, std::string path,
                                       CopyFlags flags) {
  std::string named;
  if (flags.follow) {
    CO_TRY(auto found, co_await client.stat_path(container, path));
    if (!found.link_target.empty()) {
      named = std::move(found.name);
      path = std::move(found.link_target);
    }
  }
  CO_TRY(const auto tar, co_await client.get_archive(std::move(container), std::move(path)));
  if (flags.to == "-") co_return terminal::write(tar);
  co_return unpack(tar, flags.to, named);
}

asio::awaitable<Result<void>> copy_in(docker::Client client, std::string container, CopyFlags flags, std::string to) {
  const auto target = co_await client.stat_path(container, to);
  if (!target && target.error().code != Errc::not_found) co_return tl::unexpected<Error>(target.error());
  const bool into_folder = target && target->folder;
  if (flags.from == "-") {
    if (!into_folder) co_return fail(Errc::not_found, "{}: there is no such folder in the container", to);
    std::string tar(std::istreambuf_iterator<char>(std::cin), {});
    co_return co_await client.put_archive(std::move(container), std::move(to), std::move(tar), flags.archive);
  }
  if (!into_folder && to.ends_with('/')) co_return fail(Errc::not_found, "{}: no such folder in the container", to);
  const auto place = place_in_container(flags.from, to, into_folder);
  std::string tar;
  CO_CHECK(add_to_tar(tar, flags.from, place.name, flags.follow ? docker::Links::followed : docker::Links::kept));
  docker::end_tar(tar);
  co_return co_await client.put_archive(std::move(container), place.folder, std::move(tar), flags.archive);
}

asio::awaitable<Result<void>> copy(CopyFlags flags) {
  const auto from = container_path(flags.from);
  const auto to = container_path(flags.to);
  if (from.has_value() == to.has_value()) {
    co_return fail(Errc::usage, "one side is SERVICE:PATH, the other a path here or -");
  }
  const auto& there = from ? *from : *to;
  const ProjectClient stack(flags.project);
  CO_TRY(const auto unit, co_await stack.container(there.service, flags.index));
  CO_TRY(auto client, docker::Client::connect_to());
  if (from) co_return co_await copy_out(std::move(client), unit.id, from->path, flags);
  co_return co_await copy_in(std::move(client), unit.id, flags, to->path);
}

}  // namespace

void add_cp(CommandLine line) {
  auto* command = line.cli.add_subcommand("cp", "copy files between a service's container and this machine");
  auto flags = std::make_shared<CopyFlags>();
  command->add_option("--index", flags->index, "which instance (default: the first that runs)");
  command->add_flag("-a,--archive", flags->archive, "into a container: to the user that it runs as");
  command->add_flag("-L,--follow-link", flags->follow, "copy what links point to");
  command->add_option("FROM", flags->from, "SERVICE:PATH, a path here, or - for a tar")->required();
  command->add_option("TO", flags->to, "a path here, SERVICE:PATH, or - for a tar")->required();
  command->callback([line, flags] {
    line.chosen = [&globals = line.globals, flags] {
      flags->project = named_project(globals);
      const auto done = run_blocking(copy(*flags));
      return done ? 0 : report(done.error());
    };
  });
}

}  // namespace devstack
