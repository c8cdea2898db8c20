#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/http/message.h"

/// Who may talk to the status page: the browser of this machine's user, and no web site that this browser visits.
/// A page of another site can make the browser send us requests; it cannot forge Host under DNS rebinding (the name is
/// the attacker's), cannot forge Origin, and cannot read the page that carries the token. Pure; any thread.
namespace devstack::ui {

/// The host of a Host header or an origin's authority: lower case, no port, no brackets, no trailing dot. Nothing when
/// it is malformed.
std::optional<std::string> host_of(std::string_view authority);

class AccessPolicy {
 public:
  /// `addresses`: what the page listens on ("127.0.0.1"); a wildcard ("0.0.0.0", "::") admits every literal address,
  /// which rebinding cannot forge. `names`: host names under which it is reached besides localhost and ui.localhost.
  AccessPolicy(const std::vector<std::string>& addresses, std::vector<std::string> names, std::string token);

  [[nodiscard]] bool host_allowed(std::string_view host_header) const;
  /// What every request needs. Errc::permission with one line for the user.
  [[nodiscard]] Result<void> may_read(const http::Request& request) const;
  /// What a request that changes something needs on top: an Origin, if one is sent, that is ours, and the token.
  [[nodiscard]] Result<void> may_change(const http::Request& request) const;

 private:
  std::vector<std::string> hosts_;
  bool any_literal_ = false;
  std::string token_;
};

/// 32 hexadecimal digits from the system's random numbers.
std::string random_token();

}  // namespace devstack::ui
