#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/control/status_json.h"

/// The status page as text. The server renders it, first as the whole page (readable without JavaScript) and then as
/// the live part only, again on each change; the script swaps the differences in. So there is one renderer. Everything
/// that comes from outside is escaped here. Pure; any thread.
namespace devstack::ui {

struct PageContext {
  std::string instance;  ///< another value means that devstack was started anew: the script loads the page again
  std::int64_t now = 0;  ///< Unix seconds, for "12 min"
};

/// The element `<div id="live">` with all its content.
std::string render_live(const supervisor::Status& status, const PageContext& context);

/// `shell` is web/page.html; its {{title}}, {{token}} and {{live}} are filled.
std::string render_page(std::string_view shell, const supervisor::Status& status, const PageContext& context,
                        std::string_view token);

}  // namespace devstack::ui
