#include "cmd/devstack/up_choice.h"

#include <boost/json.hpp>
#include <set>

#include "cmd/devstack/command.h"
#include "core/stack/explain.h"

namespace devstack {
namespace {

namespace json = boost::json;
using supervisor::ApplyOptions;

constexpr const char* kChoice = "choice";
constexpr const char* kProject = "project";

struct Switch {
  const char* name;
  bool ApplyOptions::*value;
};
constexpr Switch kSwitches[] = {{"force-recreate", &ApplyOptions::force_recreate},
                                {"no-recreate", &ApplyOptions::no_recreate},
                                {"renew-anon-volumes", &ApplyOptions::renew_anon_volumes},
                                {"no-deps", &ApplyOptions::no_deps},
                                {"remove-orphans", &ApplyOptions::remove_orphans},
                                {"build", &ApplyOptions::build},
                                {"no-start", &ApplyOptions::no_start}};

json::object to_object(const UpChoice& choice) {
  json::object given;
  for (const auto& one : kSwitches) given[one.name] = choice.how.*one.value;
  given["services"] = json::value_from(choice.how.services);
  given["pull"] = choice.how.pull;
  given["no-build"] = choice.no_build;
  given["watch"] = choice.watch;
  given["scale"] = json::value_from(choice.scale);
  return given;
}

}  // namespace

std::vector<std::string> UpChoice::flags() const {
  std::vector<std::string> out;
  for (const auto& one : kSwitches) {
    if (how.*one.value) out.push_back(std::string("--") + one.name);
  }
  if (no_build) out.emplace_back("--no-build");
  if (watch) out.emplace_back("--watch");
  if (!how.pull.empty()) out.push_back("--pull=" + how.pull);
  for (const auto& [service, count] : scale) out.push_back(fmt::format("--scale={}={}", service, count));
  if (!how.services.empty()) out.emplace_back("--");
  out.insert(out.end(), how.services.begin(), how.services.end());
  return out;
}

std::string up_request(const stack::LoadOptions& load, const UpChoice& choice) {
  auto request = json::parse(apply_request(load)).as_object();
  request[kChoice] = to_object(choice);
  return json::serialize(request);
}

std::string choice_request(const UpChoice& choice, const std::string& project) {
  return json::serialize(json::object{{kChoice, to_object(choice)}, {kProject, project}});
}

bool names_files(std::string_view request) {
  boost::system::error_code error;
  const auto document = json::parse(json::string_view(request.data(), request.size()), error);
  return !error && document.is_object() && document.as_object().contains("files");
}

std::string requested_project(std::string_view request) {
  boost::system::error_code error;
  const auto document = json::parse(json::string_view(request.data(), request.size()), error);
  const auto* fields = document.if_object();
  const auto* project = error || fields == nullptr ? nullptr : fields->if_contains(kProject);
  const auto* name = project == nullptr ? nullptr : project->if_string();
  return name == nullptr ? std::string() : std::string(*name);
}

Result<UpChoice> parse_up_choice(std::string_view request) {
  UpChoice choice;
  boost::system::error_code error;
  const auto document = json::parse(json::string_view(request.data(), request.size()), error);
  if (error || !document.is_object()) return fail(Errc::invalid_argument, "apply takes a JSON object");
  const auto* given = document.as_object().if_contains(kChoice);
  if (given == nullptr) return choice;
  try {
    const auto& fields = given->as_object();
    for (const auto& one : kSwitches) {
      if (const auto* value = fields.if_contains(one.name)) choice.how.*one.value = value->as_bool();
    }
    choice.how.services = json::value_to<std::vector<std::string>>(fields.at("services"));
    choice.how.pull = json::value_to<std::string>(fields.at("pull"));
    choice.no_build = fields.at("no-build").as_bool();
    choice.watch = fields.at("watch").as_bool();
    choice.scale = json::value_to<std::map<std::string, int>>(fields.at("scale"));
  } catch (const std::exception& wrong) {
    return fail(Errc::invalid_argument, "apply: {}", wrong.what());
  }
  return choice;
}

UpChoice lasting_choice(const UpChoice& earlier, const UpChoice& later) {
  UpChoice out;
  const bool all = earlier.how.services.empty() || later.how.services.empty();
  if (!all) {
    std::set<std::string> services(earlier.how.services.begin(), earlier.how.services.end());
    services.insert(later.how.services.begin(), later.how.services.end());
    out.how.services.assign(services.begin(), services.end());
    out.how.no_deps = earlier.how.no_deps && later.how.no_deps;
  }
  // An `up` of everything says all that is wanted; of a part, it leaves the rest as it was asked for.
  out.scale = later.scale;
  if (!later.how.services.empty()) out.scale.insert(earlier.scale.begin(), earlier.scale.end());
  return out;
}

Result<stack::Plan> chosen_plan(const stack::Plan& running, stack::StackFile& file, const UpChoice& choice,
                                stack::EngineAvailable engine) {
  CHECK(stack::set_scale(file, choice.scale));
  if (choice.no_build) {
    for (auto& [name, service] : file.services) {
      if (service.build && service.image.empty()) {
        return fail(Errc::failed, "services.{} has no image but what it builds, and --no-build was given", name);
      }
      service.build.reset();
    }
  }
  TRY(const auto wanted, stack::make_plan(file, engine));
  return stack::narrow(running, wanted, choice.how.services,
                       choice.how.no_deps ? stack::Dependencies::without : stack::Dependencies::with);
}

}  // namespace devstack
