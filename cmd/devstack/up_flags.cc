#include "cmd/devstack/up_flags.h"

#include "core/stack/explain.h"

namespace devstack {

void add_up_flags(CLI::App& command, const std::shared_ptr<UpFlags>& flags) {
  command.add_option("--scale", flags->scale, "SERVICE=N: that many instances, whatever the file says (repeatable)")
      ->allow_extra_args(false);
  command.add_flag("--no-deps", flags->how.no_deps, "only the named services, not what they depend on");
  auto* force =
      command.add_flag("--force-recreate", flags->how.force_recreate, "make containers anew although nothing changed");
  command.add_flag("--no-recreate", flags->how.no_recreate, "leave containers that exist although something changed")
      ->excludes(force);
  command.add_flag("--remove-orphans", flags->how.remove_orphans,
                   "also remove this project's containers that are not of the stack file, or of a run that has ended");
  auto* build = command.add_flag("--build", flags->how.build, "build images although they are there");
  command.add_flag("--no-build", flags->no_build, "never build (an image that is missing is an error)")
      ->excludes(build);
  command.add_option("--pull", flags->how.pull, "always, missing or never, instead of each service's pull_policy")
      ->check(CLI::IsMember({"always", "missing", "never"}));
  command.add_flag("-V,--renew-anon-volumes", flags->how.renew_anon_volumes,
                   "a container made anew begins with empty anonymous volumes");
  command.add_option("SERVICE", flags->how.services, "only these and what they depend on; none: all");
}

Result<UpChoice> choice_of(const UpFlags& flags) {
  UpChoice choice;
  choice.how = flags.how;
  if (choice.how.no_deps && choice.how.services.empty()) {
    return fail(Errc::usage, "--no-deps needs the services that are to start");
  }
  for (const auto& text : flags.scale) {
    TRY(const auto one, stack::parse_scale(text));
    choice.scale[one.first] = one.second;
  }
  choice.no_build = flags.no_build;
  choice.watch = flags.watch;
  return choice;
}

}  // namespace devstack
