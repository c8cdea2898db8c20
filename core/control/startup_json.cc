#include "core/control/startup_json.h"

#include <cmath>

#include "core/control/json_reader.h"

namespace devstack::control {
namespace {

namespace json = boost::json;
using supervisor::CriticalStep;
using supervisor::StartPhase;
using supervisor::StartSpan;
using supervisor::StartStep;
using supervisor::Startup;
using supervisor::UnitStart;

/// Milliseconds, to the microsecond.
double ms(StartSpan span) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(span).count()) / 1000;
}

json::value ms(std::optional<StartSpan> span) { return span ? json::value(ms(*span)) : json::value(nullptr); }

StartSpan from_ms(double value) { return StartSpan(std::llround(value * 1e6)); }

json::object step(const StartStep& value) {
  return {{"phase", to_string(value.phase)},
          {"detail", value.detail},
          {"began_ms", ms(value.began)},
          {"took_ms", ms(value.ended - value.began)}};
}

json::object critical_step(const CriticalStep& value) {
  auto out = step(value.step);
  out["unit"] = value.unit;
  out["waits"] = value.waits;
  return out;
}

json::object unit(const UnitStart& value) {
  return {{"unit", value.unit},          {"service", value.service},    {"launched_ms", ms(value.launched)},
          {"ready_ms", ms(value.ready)}, {"ended_ms", ms(value.ended)}, {"steps", each(value.steps, step)}};
}

void read_span(Reader& in, std::string_view name, std::optional<StartSpan>& into) {
  std::optional<double> value;
  in.read(name, value);
  if (value) into = from_ms(*value);
}

void read_step(Reader& in, StartStep& step) {
  std::optional<StartSpan> began, took;
  in.read("phase", supervisor::all_start_phases, step.phase);
  in.read("detail", step.detail);
  read_span(in, "began_ms", began);
  read_span(in, "took_ms", took);
  step.began = began.value_or(StartSpan(0));
  step.ended = step.began + took.value_or(StartSpan(0));
}

void read_critical_step(Reader& in, CriticalStep& value) {
  in.read("unit", value.unit);
  in.read("waits", value.waits);
  read_step(in, value.step);
}

void read_unit(Reader& in, UnitStart& value) {
  in.read("unit", value.unit);
  in.read("service", value.service);
  read_span(in, "launched_ms", value.launched);
  read_span(in, "ready_ms", value.ready);
  read_span(in, "ended_ms", value.ended);
  in.read_each("steps", value.steps, read_step);
}

}  // namespace

std::string startup_to_json(const Startup& startup) {
  return json::serialize(json::object{{"project", startup.project},
                                      {"took_ms", ms(startup.took)},
                                      {"critical_path", each(startup.critical_path, critical_step)},
                                      {"units", each(startup.units, unit)}});
}

Result<Startup> startup_from_json(std::string_view text) {
  boost::system::error_code broken;
  const auto document = json::parse(json::string_view(text.data(), text.size()), broken);
  if (broken) return fail(Errc::parse, "the startup report is not JSON: {}", broken.message());
  std::string complaint;
  Startup startup;
  std::optional<StartSpan> took;
  Reader in(document, "", complaint);
  in.read("project", startup.project);
  read_span(in, "took_ms", took);
  startup.took = took.value_or(StartSpan(0));
  in.read_each("critical_path", startup.critical_path, read_critical_step);
  in.read_each("units", startup.units, read_unit);
  if (!complaint.empty()) return fail(Errc::parse, "the startup report cannot be read: {}", complaint);
  return startup;
}

}  // namespace devstack::control
