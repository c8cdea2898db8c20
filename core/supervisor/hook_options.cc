#include "core/supervisor/hook_options.h"

namespace devstack::supervisor {

docker::ExecOptions exec_options(const stack::Hook& hook) {
  docker::ExecOptions options;
  options.argv = hook.command;
  options.user = hook.user;
  options.working_dir = hook.working_dir;
  options.privileged = hook.privileged;
  options.env = hook.environment;
  return options;
}

}  // namespace devstack::supervisor
