#pragma once

#include <string>
#include <vector>

#include "core/proxy/engine.h"

/// HAProxy's configuration as text. Pure; any thread.
/// https://docs.haproxy.org/2.6/configuration.html (2.4 and up understand it)
namespace devstack::proxy::haproxy {

/// Where the files of one configuration stand.
struct Paths {
  std::string config;        ///< haproxy.cfg
  std::string hosts;         ///< map of host names to backends
  std::string unknown_html;  ///< the page for a name that no service has
  std::string unknown_text;
  std::string admin_socket;
  static Paths in(const std::string& folder, const std::string& admin_socket);
};

struct ConfigOptions {
  std::string user;                    ///< to run as when started by root; "" = as we do
  std::string drain_timeout = "600s";  ///< how long an old process may finish its connections after a reload
};

struct File {
  std::string path, content;
};

/// The configuration file last, so that what it refers to is there first.
std::vector<File> files(const Model& model, const Paths& paths, const ConfigOptions& options);

std::string config_text(const Model& model, const Paths& paths, const ConfigOptions& options);
std::string hosts_map(const Model& model);
/// Log-format texts: `%[var(txn.shown)]` is the host name that was asked for, made harmless.
std::string unknown_page_html(const Model& model);
std::string unknown_page_text(const Model& model);

std::string backend_name(const std::string& service);  ///< "svc:web"
std::string server_name(const Backend& backend);       ///< "172.17.0.2:80"; unique within a backend

}  // namespace devstack::proxy::haproxy
