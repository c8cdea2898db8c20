#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/async/component.h"
#include "core/control/api.h"
#include "core/http/server.h"
#include "core/ui/access.h"

namespace devstack::ui {

struct UiOptions {
  std::vector<std::string> addresses{"127.0.0.1"};  ///< to listen on; "0.0.0.0" shows the page to the network
  std::uint16_t port = 7500;                        ///< 0: any free one
  std::vector<std::string> names;                   ///< further host names under which it is reached ("status.test")
  std::string dir;                                  ///< serve the page's files from here instead of the embedded ones
  /// Makes the error for a taken port (who holds it, which setting moves it).
  std::function<Error(const std::string& address, std::uint16_t port)> port_taken;
};

/// The status page:
///
///     GET  /                                   the page, filled in already; live by server-sent events
///     GET  /api/status                         the document of core/control/status_json.h
///     GET  /queries                            what the DNS server is asked; the page polls /api/queries
///     GET  /api/queries?after=N                the document of the control API's /v1/dns/queries
///     GET  /api/events[?view=page]             events `status` with that document, or `page` with the live HTML
///     POST /api/units/NAME/{stop,start,restart}   needs X-Devstack-Token from the page's meta tag
///     GET  /style.css, /app.js …               the files of core/ui/web/
///
/// access.h says who may ask. Loop thread; `api` outlives it.
class Ui final : public Component {
 public:
  Ui(asio::any_io_executor loop, control::ControlApi& api, UiOptions options = {});

  [[nodiscard]] std::string_view name() const override { return "ui"; }
  asio::awaitable<Result<void>> start() override;
  asio::awaitable<void> stop() override;
  [[nodiscard]] ComponentReport report() const override;

  asio::awaitable<http::Response> handle(http::Request request);

 private:
  http::Response page() const;
  http::Response asset(std::string_view name) const;
  asio::awaitable<http::Response> route(http::Request request);

  asio::any_io_executor loop_;
  control::ControlApi& api_;
  UiOptions options_;
  std::string token_;
  std::string instance_;
  AccessPolicy access_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace devstack::ui
