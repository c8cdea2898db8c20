#include "core/control/api.h"

#include <charconv>

#include "core/base/async/task_group.h"
#include "core/control/discovered.h"
#include "core/control/error_json.h"
#include "core/control/log_units.h"
#include "core/control/startup_json.h"
#include "core/control/status_json.h"
#include "core/logs/kept_log.h"

namespace devstack::control {
namespace {

constexpr auto kCoalesce = std::chrono::milliseconds(100);
constexpr auto kHeartbeat = std::chrono::seconds(15);
/// How long to leave a registry alone after a change of its checks: hundreds may change in one go.
constexpr auto kRegistryPause = std::chrono::milliseconds(50);
constexpr auto kDnsLogPoll = std::chrono::milliseconds(200);
constexpr auto kNoDns = "devstack's DNS server is switched off (dns.enabled)";
constexpr std::size_t kDnsLogLines = 100'000;  // more than the DNS server keeps

http::Response failure(Errc code, std::string message) { return error_response(Error{code, std::move(message)}); }

http::Response method_not_allowed(std::string allow) {
  auto response = failure(Errc::usage, "method not allowed: use " + allow);
  response.status = 405;
  response.headers.set("Allow", std::move(allow));
  return response;
}

http::Response done(const Result<void>& result) {
  return result ? http::json(200, "{}\n") : error_response(result.error());
}

http::Response document(Result<std::string> result) {
  return result ? http::json(200, std::move(*result)) : error_response(result.error());
}

/// A whole number in the query; nothing when it is absent or empty.
Result<std::optional<int>> number(const http::Query& query, std::string_view name) {
  const auto text = query.get(name);
  if (!text || text->empty()) return std::optional<int>();
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0) {
    return fail(Errc::invalid_argument, "{}: \"{}\" is not a whole number of 0 or more", name, *text);
  }
  return std::optional<int>(value);
}

bool switched_on(const http::Query& query, std::string_view name) {
  const auto value = query.get(name);
  return value && *value != "0" && *value != "false";
}

Result<std::optional<std::chrono::seconds>> parse_grace(const http::Query& query) {
  TRY(const auto timeout, number(query, "timeout"));
  std::optional<std::chrono::seconds> grace;
  if (timeout) grace = std::chrono::seconds(*timeout);
  return grace;
}

Result<supervisor::DownOptions> parse_down_options(const http::Query& query) {
  using supervisor::RemoveImages;
  supervisor::DownOptions options;
  TRY(options.grace, parse_grace(query));
  options.volumes = switched_on(query, "volumes");
  options.orphans = switched_on(query, "orphans");
  const auto images = query.get("images").value_or("");
  if (images == "local") options.images = RemoveImages::local;
  if (images == "all") options.images = RemoveImages::all;
  if (!images.empty() && options.images == RemoveImages::none) {
    return fail(Errc::invalid_argument, "images: \"{}\" is neither local nor all", images);
  }
  return options;
}

Result<LogRequest> parse_log_request(const http::Query& query) {
  LogRequest request;
  for (const auto name : query.all("service")) {
    if (!name.empty()) request.services.emplace_back(name);
  }
  request.project = query.get("project").value_or("");
  if (query.get("tail") != "all") {
    TRY(const auto tail, number(query, "tail"));
    request.choice.tail = tail.value_or(-1);
  }
  const std::pair<const char*, std::optional<std::int64_t>&> moments[] = {{"since", request.choice.since},
                                                                          {"until", request.choice.until}};
  for (const auto& [name, moment] : moments) {
    const auto text = query.get(name);
    if (!text || text->empty()) continue;
    auto parsed = logs::parse_when(*text, logs::now());
    if (!parsed) return fail(Errc::invalid_argument, "{}: {}", name, parsed.error().message);
    moment = *parsed;
  }
  if (switched_on(query, "follow")) request.follow = Follow::yes;
  if (query.get("format") == "json") request.form = LogForm::json;
  return request;
}

}  // namespace

std::string_view to_string(UnitAction action) {
  switch (action) {
    case UnitAction::stop:
      return "stop";
    case UnitAction::start:
      return "start";
    case UnitAction::restart:
      return "restart";
    case UnitAction::pause:
      return "pause";
    case UnitAction::unpause:
      return "unpause";
    case UnitAction::kill:
      return "kill";
    case UnitAction::remove:
      return "remove";
  }
  return "";
}

std::optional<UnitAction> parse_unit_action(std::string_view text) {
  for (const auto action : {UnitAction::stop, UnitAction::start, UnitAction::restart, UnitAction::pause,
                            UnitAction::unpause, UnitAction::kill, UnitAction::remove}) {
    if (to_string(action) == text) return action;
  }
  return std::nullopt;
}

struct ControlApi::Impl {
  Impl(const asio::any_io_executor& executor, StackControl& stack_in, ControlOptions options_in, Clock& clock_in)
      : loop(executor),
        stack(stack_in),
        options(std::move(options_in)),
        clock(clock_in),
        changed(executor),
        tasks(executor) {}

  asio::awaitable<void> relay_stack() {
    for (;;) {
      const auto seen = stack.changed().version();
      changed.bump();
      co_await stack.changed().wait_past(seen, Instant::max());
    }
  }

  asio::awaitable<void> relay_registry() {
    for (;;) {
      const auto seen = options.registry->snapshot()->index();
      changed.bump();
      std::vector<registry::Watch> watches{{registry::Watch::Table::services, {}},
                                           {registry::Watch::Table::checks, {}}};
      co_await options.registry->wait(std::move(watches), seen, clock.now() + std::chrono::minutes(10));
      co_await clock.sleep_for(kRegistryPause);
    }
  }

  /// Carries `work` to its end even when the caller (a request whose client hung up) is cancelled meanwhile: a stack
  /// half taken down, or a unit stopped and not started again, would be worse.
  template <class T>
  asio::awaitable<Result<T>> to_its_end(std::string name, asio::awaitable<Result<T>> work) {
    struct Pending {
      explicit Pending(const asio::any_io_executor& executor) : ended(executor) {}
      std::optional<Result<T>> result;
      Signal ended;
    };
    if (stopping) co_return fail(Errc::unavailable, "devstack is stopping");
    auto pending = std::make_shared<Pending>(loop);
    auto carry = [](std::shared_ptr<Pending> into, asio::awaitable<Result<T>> work_in) -> asio::awaitable<void> {
      into->result.emplace(co_await std::move(work_in));
      into->ended.bump();
    };
    tasks.spawn("control: " + std::move(name), carry(pending, std::move(work)));
    co_await pending->ended.wait_past(0, Instant::max());
    if (!pending->result) co_return fail(Errc::cancelled, "devstack is stopping");
    co_return std::move(*pending->result);
  }

  asio::awaitable<http::Response> answer_down(const http::Query& query) {
    const auto options_given = parse_down_options(query);
    if (!options_given) co_return error_response(options_given.error());
    if (!options.down) co_return failure(Errc::unavailable, "down is not available here");
    std::string project(query.get("project").value_or(""));
    const auto result = co_await to_its_end<void>("down", options.down(*options_given, std::move(project)));
    co_return done(result);
  }

  asio::awaitable<http::Response> answer_hook(
      const std::function<asio::awaitable<Result<std::string>>(std::string)>& hook, std::string name,
      std::string body) {
    if (!hook) co_return failure(Errc::unavailable, name + " is not available here");
    auto result = co_await to_its_end<std::string>(std::move(name), hook(std::move(body)));
    co_return document(std::move(result));
  }

  http::Response answer_logs(const http::Query& query) {
    auto request = parse_log_request(query);
    if (!request) return error_response(request.error());
    auto status = stack.status();
    auto places = options.logs;
    if (const auto one = narrow(status, places, *request); !one) return error_response(one.error());
    const auto known = log_units(status, logs::kept_units(places.kept), request->services);
    if (!known) return error_response(known.error());
    auto response = http::text(200, {});
    if (request->form == LogForm::json) response.headers.set("Content-Type", "application/x-ndjson");
    response.stream = [this, request = *request](http::BodyWriter& out) {
      return stream_logs(stack, options.logs, request, out);
    };
    return response;
  }

  http::Response answer_startup(const http::Query& query) const {
    const auto startup = stack.startup(std::string(query.get("project").value_or("")));
    return startup ? http::json(200, startup_to_json(*startup) + "\n") : error_response(startup.error());
  }

  http::Response answer_dns_log(const http::Query& query) {
    if (!options.dns_log) return failure(Errc::unavailable, kNoDns);
    std::size_t tail = kDnsLogLines;
    if (query.get("tail") != "all") {
      const auto number_given = number(query, "tail");
      if (!number_given) return error_response(number_given.error());
      if (number_given->has_value()) tail = static_cast<std::size_t>(**number_given);
    }
    const auto follow = switched_on(query, "follow") ? Follow::yes : Follow::no;
    auto response = http::text(200, {});
    response.stream = [this, tail, follow](http::BodyWriter& out) { return stream_dns_log(out, tail, follow); };
    return response;
  }

  http::Response answer_dns_queries(const http::Query& query) {
    if (!options.dns_queries) return failure(Errc::unavailable, kNoDns);
    const auto text = query.get("after").value_or("0");
    std::uint64_t after = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
    if (error != std::errc() || end != text.data() + text.size()) {
      return failure(Errc::invalid_argument, fmt::format("after: \"{}\" is not a whole number of 0 or more", text));
    }
    auto response = http::json(200, options.dns_queries(after));
    response.headers.set("Cache-Control", "no-store");
    return response;
  }

  asio::awaitable<void> stream_dns_log(http::BodyWriter& out, std::size_t tail, Follow follow) {
    std::uint64_t after = 0;
    for (std::size_t most = tail;; most = kDnsLogLines) {
      auto text = options.dns_log(after, most);
      if (!text.empty()) {
        const bool there = co_await out.write(std::move(text));
        if (!there) co_return;
      }
      if (follow == Follow::no) co_return;
      co_await clock.sleep_for(kDnsLogPoll);
    }
  }

  asio::any_io_executor loop;
  StackControl& stack;
  ControlOptions options;
  Clock& clock;
  Signal changed;
  TaskGroup tasks;
  bool stopping = false;
};

ControlApi::ControlApi(asio::any_io_executor loop, StackControl& stack, ControlOptions options, Clock& clock)
    : impl_(std::make_unique<Impl>(loop, stack, std::move(options), clock)) {}
ControlApi::~ControlApi() = default;

void ControlApi::start() {
  impl_->tasks.spawn("control: watch stack", impl_->relay_stack());
  if (impl_->options.registry != nullptr) impl_->tasks.spawn("control: watch registry", impl_->relay_registry());
}

asio::awaitable<void> ControlApi::stop() {
  impl_->stopping = true;
  co_await impl_->tasks.stop();
}

supervisor::Status ControlApi::status() const {
  auto status = impl_->stack.status();
  const auto* view = impl_->options.registry;
  if (view == nullptr || !view->synced()) return status;
  status.discovered = discovered_services(*view->snapshot(), status);
  if (impl_->options.links) {
    for (auto& service : status.discovered) service.links = impl_->options.links(service.name);
  }
  return status;
}

Signal& ControlApi::changed() { return impl_->changed; }

asio::awaitable<Result<void>> ControlApi::unit_action(UnitAction action, std::string name) {
  return carry_out(UnitOrder{.action = action, .name = std::move(name)});
}

asio::awaitable<Result<void>> ControlApi::carry_out(UnitOrder order) {
  auto title = fmt::format("{} {}", to_string(order.action), order.name);
  auto work = impl_->stack.carry_out(std::move(order));
  co_return co_await impl_->to_its_end<void>(std::move(title), std::move(work));
}

asio::awaitable<void> ControlApi::stream_events(http::BodyWriter& out, std::string event, Render render) {
  auto& changed = impl_->changed;
  std::string last;
  auto quiet_until = impl_->clock.now() + kHeartbeat;
  for (bool first = true;; first = false) {
    const auto seen = changed.version();
    auto text = render(status());
    if (first || text != last) {
      last = std::move(text);
      auto message = http::sse_event(event, last);
      const bool there = co_await out.write(std::move(message));
      if (!there) co_return;
      quiet_until = impl_->clock.now() + kHeartbeat;
      co_await impl_->clock.sleep_for(kCoalesce);
    }
    co_await changed.wait_past(seen, quiet_until);
    if (impl_->clock.now() < quiet_until) continue;
    const bool there = co_await out.write(": quiet\n\n");
    if (!there) co_return;
    quiet_until = impl_->clock.now() + kHeartbeat;
  }
}

http::Response ControlApi::event_response(std::string event, Render render) {
  http::Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.stream = [this, event = std::move(event), render = std::move(render)](http::BodyWriter& out) {
    return stream_events(out, event, render);
  };
  return response;
}

asio::awaitable<http::Response> ControlApi::handle(http::Request request) {
  const std::string_view path = request.raw_path();
  const auto query = http::Query::parse(request.raw_query());
  if (!query) co_return failure(Errc::invalid_argument, "the query has a malformed % escape");
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";

  if (path == "/v1/status") co_return get ? http::json(200, to_json(status()) + "\n") : method_not_allowed("GET");
  if (path == "/v1/status/events") co_return get ? event_response("status", to_json) : method_not_allowed("GET");
  if (path == "/v1/startup") co_return get ? impl_->answer_startup(*query) : method_not_allowed("GET");
  if (path == "/v1/logs") co_return get ? impl_->answer_logs(*query) : method_not_allowed("GET");
  if (path == "/v1/dns/log") co_return get ? impl_->answer_dns_log(*query) : method_not_allowed("GET");
  if (path == "/v1/dns/queries") co_return get ? impl_->answer_dns_queries(*query) : method_not_allowed("GET");
  if (path == "/v1/down") {
    if (!post) co_return method_not_allowed("POST");
    co_return co_await impl_->answer_down(*query);
  }
  if (path == "/v1/apply") {
    if (!post) co_return method_not_allowed("POST");
    co_return co_await impl_->answer_hook(impl_->options.apply, "apply", std::move(request.body));
  }
  if (path == "/v1/plan") {
    if (!get && !post) co_return method_not_allowed("GET, POST");
    co_return co_await impl_->answer_hook(impl_->options.plan, "plan", std::move(request.body));
  }
  constexpr std::string_view kUnits = "/v1/units/";
  const auto slash = path.rfind('/');
  if (path.starts_with(kUnits) && slash >= kUnits.size()) {
    const auto action = parse_unit_action(path.substr(slash + 1));
    auto name = http::decode_path(path.substr(kUnits.size(), slash - kUnits.size()));
    if (action && name && !name->empty()) {
      if (!post) co_return method_not_allowed("POST");
      UnitOrder order{.action = *action, .name = std::move(*name)};
      auto grace = parse_grace(*query);
      if (!grace) co_return error_response(grace.error());
      order.grace = *grace;
      if (const auto signal = query->get("signal")) order.signal = std::string(*signal);
      if (switched_on(*query, "alone")) order.restart = supervisor::Restart::alone;
      order.volumes = switched_on(*query, "volumes");
      const auto result = co_await carry_out(std::move(order));
      co_return done(result);
    }
  }
  co_return failure(Errc::not_found, fmt::format("no such endpoint: {} {}", request.method, path));
}

}  // namespace devstack::control
