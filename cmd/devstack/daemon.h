#pragma once

#include "cmd/devstack/attach.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/up_choice.h"
#include "core/base/result.h"
#include "core/stack/stack_file.h"

/// The supervisor as a process: in this terminal (or under systemd), or in the background. Main thread.
namespace devstack {

struct ForegroundOptions {
  stack::LoadOptions load;
  stack::StackFile file;
  UpChoice choice;
  Attachment attachment;
  int ready_fd = -1;  ///< where to tell the starting `up` how the start went; -1: nobody asks
};

/// Runs the appliance until SIGTERM or SIGINT (services are stopped in order; a second one ends at once) or until a
/// client asked for `down`. SIGHUP reads the stack file again. Returns the exit code.
int run_in_foreground(const Globals& globals, ForegroundOptions options);

/// Starts the same program again, detached from this terminal, and returns when its components answer or it has failed.
Result<void> start_in_background(const Globals& globals, const stack::StackFile& file, const UpChoice& choice);

}  // namespace devstack
