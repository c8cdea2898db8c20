#include "cmd/devstack/command.h"

#include <boost/json.hpp>
#include <filesystem>

#include "cmd/devstack/exit_code.h"
#include "cmd/devstack/paths.h"
#include "cmd/devstack/terminal.h"

namespace devstack {

stack::LoadOptions load_options(const Globals& globals) {
  stack::LoadOptions options;
  options.files = globals.files;
  options.cwd = std::filesystem::current_path().string();
  options.project = globals.project;
  options.environment = environment();
  return options;
}

std::string apply_request(const stack::LoadOptions& load) {
  boost::json::object request;
  request["files"] = boost::json::value_from(load.files);
  request["cwd"] = load.cwd;
  request["project"] = load.project;
  request["environment"] = boost::json::value_from(load.environment);
  return boost::json::serialize(request);
}

Result<stack::LoadOptions> parse_apply_request(std::string_view text) {
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) return fail(Errc::invalid_argument, "apply takes a JSON object");
  stack::LoadOptions load;
  try {
    const auto& fields = value.as_object();
    load.files = boost::json::value_to<std::vector<std::string>>(fields.at("files"));
    load.cwd = boost::json::value_to<std::string>(fields.at("cwd"));
    load.project = boost::json::value_to<std::string>(fields.at("project"));
    load.environment = boost::json::value_to<stack::Environment>(fields.at("environment"));
  } catch (const std::exception& wrong) {
    return fail(Errc::invalid_argument, "apply: {}", wrong.what());
  }
  return load;
}

int report(const Error& error) {
  terminal::complain(error.to_string());
  return exit_code(error.code);
}

}  // namespace devstack
