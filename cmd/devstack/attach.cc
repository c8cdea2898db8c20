#include "cmd/devstack/attach.h"

#include <algorithm>
#include <filesystem>

#include "cmd/devstack/log_text.h"
#include "cmd/devstack/terminal.h"
#include "core/logs/record.h"

namespace devstack {
namespace {

using supervisor::UnitState;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

logs::Choice from_now_on() {
  logs::Choice choice;
  choice.since = logs::now();
  return choice;
}

int code_of_unit(const supervisor::UnitStatus& unit) {
  // One that could not even be started has no code of its own.
  return unit.state == UnitState::failed && unit.exit_code == 0 ? 1 : unit.exit_code;
}

}  // namespace

bool Attachment::shows(const std::string& service) const {
  return (only.empty() || contains(only, service)) && !contains(never, service);
}

const supervisor::UnitStatus* ended_unit(const supervisor::Status& status) {
  const auto at = std::find_if(status.services.begin(), status.services.end(), [](const auto& unit) {
    return unit.state == UnitState::completed || unit.state == UnitState::failed;
  });
  return at == status.services.end() ? nullptr : &*at;
}

int code_of(const supervisor::Status& status, const std::string& first, const Attachment& attachment) {
  for (const auto& unit : status.services) {
    if (!attachment.exit_code_from.empty() ? unit.service == attachment.exit_code_from : unit.name == first) {
      return code_of_unit(unit);
    }
  }
  return 0;
}

AttachedOutput::AttachedOutput(const asio::any_io_executor& loop, std::string kept, Attachment attachment)
    : kept_(std::move(kept)), attachment_(std::move(attachment)), files_(loop), reader_(from_now_on()) {
  std::error_code ignored;
  std::filesystem::create_directories(kept_, ignored);
  if (const auto watched = files_.add(kept_); !watched) terminal::complain(watched.error().message);
}

void AttachedOutput::print(const supervisor::Status& status, const std::vector<std::string>& quiet) {
  std::vector<std::string> names;
  for (const auto& unit : status.services) {
    if (!attachment_.shows(unit.service) || contains(quiet, unit.service)) continue;
    names.push_back(unit.name);
    reader_.add_unit(kept_, unit.name);
  }
  LogPrinter printer({}, names);
  for (auto records = reader_.read(); !records.empty(); records = reader_.read()) {
    std::string text;
    for (const auto& record : records) text += printer.text(record);
    (void)terminal::write(text);
  }
}

}  // namespace devstack
