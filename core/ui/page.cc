#include "core/ui/page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "core/base/html.h"
#include "core/ui/words.h"

namespace devstack::ui {
namespace {

using supervisor::DiscoveredService;
using supervisor::Status;
using supervisor::UnitState;
using supervisor::UnitStatus;
using supervisor::UnitType;

/// A page being written. `put` takes trusted text (with escaped arguments made by `e`).
class Html {
 public:
  template <class... Args>
  void put(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string e(std::string_view text) { return escape_html(text); }

std::string mark(Tone tone) {
  return fmt::format("<svg class=\"mark {0}\" aria-hidden=\"true\"><use href=\"#mark-{0}\"/></svg>", to_string(tone));
}

bool is_web_link(std::string_view link) { return link.starts_with("http://") || link.starts_with("https://"); }

/// "http://hello.localhost/" reads as "hello.localhost".
std::string_view shown_link(std::string_view link) {
  link.remove_prefix(link.find("://") + 3);
  if (link.ends_with('/')) link.remove_suffix(1);
  return link;
}

void put_links(Html& html, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    if (!is_web_link(link)) continue;
    html.put("<a class=\"out\" href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">{}</a>", e(link),
             e(shown_link(link)));
  }
}

/// Without those that a link beside them names already.
void put_addresses(Html& html, const std::vector<std::string>& addresses, const std::vector<std::string>& links = {}) {
  for (const auto& address : compact_addresses(addresses)) {
    const bool linked = std::any_of(links.begin(), links.end(), [&](const std::string& link) {
      return is_web_link(link) && shown_link(link) == address;
    });
    if (!linked) html.put("<code>{}</code>", e(address));
  }
}

/// Whether it has something to count the time of.
bool is_up(const UnitStatus& unit) {
  return unit.state == UnitState::running || unit.state == UnitState::unhealthy || unit.state == UnitState::starting;
}

void put_since(Html& html, std::int64_t at, const PageContext& context) {
  if (at == 0) return html.put("<span class=\"none\">–</span>");
  const auto when = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(at)));
  html.put("<time datetime=\"{0}\" data-since=\"{1}\">{2}</time>", when, at,
           elapsed_words(std::chrono::seconds(context.now - at)));
}

void put_state(Html& html, Tone tone, std::string_view words) {
  html.put("<span class=\"state {}\">{}<span>{}</span></span>", to_string(tone), mark(tone), e(words));
}

void put_button(Html& html, std::string_view action, std::string_view label, const std::string& unit) {
  html.put("<button type=\"button\" data-action=\"{}\" data-unit=\"{}\" aria-label=\"{} {}\">{}</button>", action,
           e(unit), label, e(unit), label);
}

void put_head(Html& html, const Status& status, const Verdict& overall, const PageContext& context) {
  html.put("<header class=\"head\"><div class=\"title\"><p class=\"brand\">devstack</p><h1>{}</h1></div>",
           e(status.project.empty() ? "no stack" : status.project));
  html.put("<p class=\"verdict {}\" id=\"verdict\">{}<span>{}</span></p>", to_string(overall.tone), mark(overall.tone),
           e(overall.sentence));
  html.put("<div class=\"lamps\" aria-hidden=\"true\">");
  for (const auto& unit : status.services) {
    html.put("<i class=\"lamp {}\" title=\"{}: {}\"></i>", to_string(tone_of(unit)), e(unit.name),
             e(state_words(unit)));
  }
  html.put("</div><dl class=\"facts\">");
  html.put("<div><dt>Node</dt><dd>{}</dd></div>", e(status.node));
  if (status.docker.empty()) {
    html.put("<div><dt>Docker</dt><dd class=\"missing\" title=\"{}\">not connected</dd></div>",
             e(status.docker_detail));
  } else {
    html.put("<div><dt>Docker</dt><dd>{}</dd></div>", e(status.docker));
  }
  html.put("<div><dt>Up for</dt><dd>");
  put_since(html, status.started_at, context);
  html.put("</dd></div></dl></header>");
}

void put_attention(Html& html, const Status& status) {
  std::string rows;
  for (const auto* units : {&status.services, &status.components}) {
    for (const auto& unit : *units) {
      const auto tone = tone_of(unit);
      if (tone != Tone::bad && tone != Tone::warn) continue;
      rows +=
          fmt::format("<li class=\"{}\">{}<b>{}</b><span class=\"what\">{}</span><span class=\"why\">{}</span></li>",
                      to_string(tone), mark(tone), e(unit.name), e(state_words(unit)), e(unit.detail));
    }
  }
  if (status.docker.empty() && !status.docker_detail.empty()) {
    rows += fmt::format(
        "<li class=\"warn\">{}<b>Docker</b><span class=\"what\">not connected</span><span class=\"why\">{}</span></li>",
        mark(Tone::warn), e(status.docker_detail));
  }
  if (rows.empty()) return;
  html.put(
      "<section class=\"attention\" id=\"attention\" aria-labelledby=\"h-attention\">"
      "<h2 id=\"h-attention\">Needs attention</h2><ul>{}</ul></section>",
      rows);
}

void put_components(Html& html, const Status& status) {
  html.put(
      "<section class=\"components\" id=\"components\" aria-labelledby=\"h-components\">"
      "<h2 id=\"h-components\">Components</h2><ul>");
  for (const auto& unit : status.components) {
    html.put("<li id=\"component-{0}\" data-name=\"{0}\" data-words=\"{1}\"><h3>{0}</h3>", e(unit.name),
             e(state_words(unit)));
    put_state(html, tone_of(unit), state_words(unit));
    html.put("<div class=\"where\">");
    put_addresses(html, unit.addresses, unit.links);
    put_links(html, unit.links);
    if (unit.name == "dns") html.put("<a href=\"/queries\">Queries</a>");
    html.put("</div>");
    if (!unit.detail.empty()) html.put("<p class=\"detail\">{}</p>", e(unit.detail));
    html.put("</li>");
  }
  html.put("</ul></section>");
}

void put_actions(Html& html, const UnitStatus& unit, bool stopping) {
  html.put("<td role=\"cell\" class=\"actions\">");
  if (!stopping) {
    const bool off =
        unit.state == UnitState::stopped || unit.state == UnitState::completed || unit.state == UnitState::failed;
    if (off) {
      put_button(html, "start", "Start", unit.name);
    } else if (unit.state != UnitState::stopping) {
      put_button(html, "restart", "Restart", unit.name);
      put_button(html, "stop", "Stop", unit.name);
    }
  }
  html.put("</td>");
}

void put_service(Html& html, const UnitStatus& unit, bool stopping, const PageContext& context) {
  html.put("<tr role=\"row\" id=\"unit-{0}\" data-name=\"{0}\" data-words=\"{1}\" class=\"{2}\">", e(unit.name),
           e(state_words(unit)), to_string(tone_of(unit)));
  html.put("<th role=\"rowheader\" scope=\"row\"><span class=\"name\">{}</span><span class=\"kind\">{}{}</span></th>",
           e(unit.name), to_string(unit.type), unit.id.empty() ? "" : " " + e(unit.id));
  html.put("<td role=\"cell\" class=\"condition\">");
  put_state(html, tone_of(unit), state_words(unit));
  if (!unit.detail.empty()) html.put("<span class=\"detail\">{}</span>", e(unit.detail));
  html.put("</td><td role=\"cell\" class=\"where\" data-label=\"Address\">");
  put_addresses(html, unit.addresses);
  html.put("</td><td role=\"cell\" class=\"open\" data-label=\"Open\">");
  put_links(html, unit.links);
  html.put("</td><td role=\"cell\" class=\"number\" data-label=\"Up for\">");
  put_since(html, is_up(unit) ? unit.started_at : 0, context);
  html.put("</td><td role=\"cell\" class=\"number\" data-label=\"Restarts\">");
  if (unit.restarts == 0) {
    html.put("<span class=\"none\">0</span>");
  } else {
    html.put("<b>{}</b>", unit.restarts);
  }
  html.put("</td>");
  put_actions(html, unit, stopping);
  html.put("</tr>");
}

void put_services(Html& html, const Status& status, const PageContext& context) {
  html.put(
      "<section class=\"services\" id=\"services\" aria-labelledby=\"h-services\"><h2 id=\"h-services\">Services</h2>");
  if (status.services.empty()) {
    html.put(
        "<p class=\"empty\">This stack has no services yet. Write one into <code>stack.yaml</code> and run "
        "<code>devstack up</code>; it appears here while it starts.</p></section>");
    return;
  }
  html.put(
      "<table role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" "
      "scope=\"col\">Service</th>"
      "<th role=\"columnheader\" scope=\"col\">State</th><th role=\"columnheader\" scope=\"col\">Address</th>"
      "<th role=\"columnheader\" scope=\"col\">Open</th><th role=\"columnheader\" scope=\"col\" class=\"number\">Up "
      "for</th>"
      "<th role=\"columnheader\" scope=\"col\" class=\"number\">Restarts</th>"
      "<th role=\"columnheader\" scope=\"col\"><span class=\"unseen\">Actions</span></th></tr></thead>"
      "<tbody role=\"rowgroup\">");
  for (const auto& unit : status.services) put_service(html, unit, status.stopping, context);
  html.put("</tbody></table></section>");
}

void put_discovered(Html& html, const Status& status) {
  html.put(
      "<section class=\"discovered\" id=\"discovered\" aria-labelledby=\"h-discovered\">"
      "<h2 id=\"h-discovered\">Also in the registry</h2>");
  if (status.discovered.empty()) {
    html.put(
        "<p class=\"empty\">Nothing besides this stack. A container started with <code>docker run</code> appears "
        "here by itself when its image exposes a port.</p></section>");
    return;
  }
  html.put("<ul>");
  for (const auto& service : status.discovered) {
    const auto words = state_words(service);
    html.put("<li id=\"discovered-{0}\" data-name=\"{0}\" data-words=\"{1}\"><h3>{0}</h3>", e(service.name), e(words));
    put_state(html, tone_of(service), words);
    html.put("<div class=\"where\">");
    put_addresses(html, service.addresses, service.links);
    put_links(html, service.links);
    html.put("</div><div class=\"tags\">");
    for (const auto& tag : service.tags) html.put("<span>{}</span>", e(tag));
    html.put("</div></li>");
  }
  html.put("</ul></section>");
}

std::string title_of(const Status& status, const Verdict& overall) {
  return status.project.empty() ? overall.sentence : fmt::format("{}: {}", status.project, overall.sentence);
}

}  // namespace

std::string render_live(const Status& status, const PageContext& context) {
  const auto overall = verdict(status);
  Html html;
  html.put("<div id=\"live\" class=\"{}\" data-instance=\"{}\" data-now=\"{}\" data-title=\"{}\">",
           to_string(overall.tone), e(context.instance), context.now, e(title_of(status, overall)));
  put_head(html, status, overall, context);
  html.put("<main>");
  put_attention(html, status);
  put_components(html, status);
  put_services(html, status, context);
  put_discovered(html, status);
  html.put("</main><footer><span>devstack {}</span>", e(status.version));
  if (!status.stack_file.empty()) html.put("<code>{}</code>", e(status.stack_file));
  html.put("<span>pid {}</span></footer></div>", status.pid);
  return html.take();
}

std::string render_page(std::string_view shell, const Status& status, const PageContext& context,
                        std::string_view token) {
  std::string out;
  for (;;) {
    const auto open = shell.find("{{");
    const auto close = open == std::string_view::npos ? open : shell.find("}}", open);
    out += shell.substr(0, open);
    if (close == std::string_view::npos) return out;
    const auto name = shell.substr(open + 2, close - open - 2);
    if (name == "title") out += e(title_of(status, verdict(status)));
    if (name == "token") out += e(token);
    if (name == "live") out += render_live(status, context);
    shell.remove_prefix(close + 2);
  }
}

}  // namespace devstack::ui
