// https://docs.docker.com/reference/compose-file/services/#extends
#include <algorithm>
#include <filesystem>
#include <map>

#include "core/base/suggest.h"
#include "core/stack/assemble.h"
#include "core/stack/merge.h"

namespace devstack::stack {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxChain = 64;

/// `extends: name`, or a map of `service` and `file`.
struct Wanted {
  std::string service, file;
  SourcePos at, file_at;
};

class Extends {
 public:
  Extends(Document& own, const std::vector<const Node*>& known, const Place& place, Assembly& all)
      : own_(own), known_(known), place_(place), all_(all) {}

  void all_services() {
    Node* services = own_.root.find("services");
    if (services == nullptr || services->kind != Node::Kind::map) return;
    const bool any = std::any_of(services->entries.begin(), services->entries.end(),
                                 [](const Entry& entry) { return entry.value.find("extends") != nullptr; });
    if (!any) return;
    for (auto& entry : services->entries) {
      if (entry.value.find("extends") != nullptr) (void)resolved(own_, entry.key);
    }
    // Put in place only now: others extend what is written, with its own `extends` followed.
    for (auto& [key, service] : done_) {
      Node* place = key.first == &own_ ? services->find(key.second) : nullptr;
      if (place == nullptr) continue;
      if (service) {
        *place = std::move(*service);
      } else {
        pretend_whole(*place);
      }
    }
  }

 private:
  /// What is wrong with its `extends` has been said; what it lacks for that is not said as well.
  static void pretend_whole(Node& service) {
    service.take("extends");
    if (service.find("image") != nullptr || service.find("build") != nullptr) return;
    Node image;
    image.kind = Node::Kind::scalar;
    image.text = "unknown";
    image.at = service.at;
    service.entries.push_back({"image", service.at, std::move(image)});
  }

  using Key = std::pair<const Document*, std::string>;

  /// A service with all that it extends below it; nothing after reporting.
  const Node* resolved(const Document& document, const std::string& name) {
    const Key key{&document, name};
    if (const auto known = done_.find(key); known != done_.end()) return known->second ? &*known->second : nullptr;
    const Node* services = document.root.find("services");
    const Node* written = services == nullptr ? nullptr : services->find(name);
    if (written == nullptr) return nullptr;
    auto& slot = done_[key];  // nothing, until it is known
    chain_.push_back(key);
    auto service = all_.afford(written->size(), written->at) ? below(document, *written) : std::nullopt;
    chain_.pop_back();
    slot = std::move(service);
    return slot ? &*slot : nullptr;
  }

  std::optional<Node> below(const Document& document, const Node& written) {
    Node service = written;
    const bool foreign = &document != &own_;
    // Only what is used of another file is filled in: the rest of it may want variables that this stack has not.
    if (foreign && all_.interpolating) interpolate_service(service, all_.fill(place_.environment));
    if (const auto extends = service.take("extends"); extends && extends->tag != Node::Tag::reset) {
      const auto wanted = read_wanted(*extends);
      const Node* base = wanted ? find_base(document, *wanted, extends->prefix()) : nullptr;
      if (base == nullptr || !all_.afford(base->size(), extends->at)) return std::nullopt;
      const auto own_path = service.path;
      if (foreign) make_service_paths_absolute(service, fs::path(document.file.path).parent_path().string());
      service = merge_services(*base, std::move(service), all_.report);
      service.path = own_path;
      service.at = written.at;
      return service;
    }
    if (foreign) make_service_paths_absolute(service, fs::path(document.file.path).parent_path().string());
    return service;
  }

  std::optional<Wanted> read_wanted(const Node& extends) {
    if (extends.kind == Node::Kind::scalar) return Wanted{extends.text, "", extends.at, extends.at};
    Wanted wanted{"", "", extends.at, extends.at};
    bool good = extends.kind == Node::Kind::map;
    for (const auto& entry : extends.entries) {
      const bool text = entry.value.kind == Node::Kind::scalar;
      if (text && entry.key == "service") {
        wanted.service = entry.value.text;
        wanted.at = entry.value.at;
      } else if (text && entry.key == "file") {
        wanted.file = entry.value.text;
        wanted.file_at = entry.value.at;
      } else {
        good = false;
      }
    }
    if (good && !wanted.service.empty()) return wanted;
    all_.report.error(extends.at, "{}expected the name of a service, or a map of `service` and `file`",
                      extends.prefix());
    return std::nullopt;
  }

  const Node* find_base(const Document& document, const Wanted& wanted, const std::string& prefix) {
    const Document* other = wanted.file.empty() ? &document : open(document, wanted, prefix);
    if (other == nullptr) return nullptr;
    const Key key{other, wanted.service};
    const auto begins = std::find(chain_.begin(), chain_.end(), key);
    if (begins != chain_.end() || chain_.size() >= kMaxChain) {
      all_.report.error(wanted.at, "{}{}: {}", prefix,
                        begins != chain_.end() ? "services extend each other"
                                               : fmt::format("more than {} services extend each other", kMaxChain),
                        chain_text(begins == chain_.end() ? chain_.end() - 3 : begins, key));
      return nullptr;
    }
    const Node* services = other->root.find("services");
    if (services != nullptr && services->find(wanted.service) != nullptr) return resolved(*other, wanted.service);
    if (other == &own_) {
      for (const Node* tree : known_) {
        const Node* others = tree->find("services");
        if (const Node* service = others == nullptr ? nullptr : others->find(wanted.service)) return service;
      }
    }
    std::vector<std::string_view> names;
    if (services != nullptr) {
      for (const auto& entry : services->entries) names.push_back(entry.key);
    }
    const auto meant = nearest(wanted.service, names);
    all_.report.error(wanted.at, "{}no service \"{}\" in {}{}", prefix, wanted.service, other->file.shown,
                      meant ? fmt::format("; did you mean \"{}\"?", *meant) : "");
    return nullptr;
  }

  template <class From>
  std::string chain_text(From from, const Key& last) const {
    std::string text;
    for (; from != chain_.end(); ++from) text += fmt::format("{} ({}) -> ", from->second, from->first->file.shown);
    return text + fmt::format("{} ({})", last.second, last.first->file.shown);
  }

  /// The documents of one file, which are merged before anything in it is extended.
  std::optional<Document> as_one(std::vector<Document> documents) {
    if (documents.empty()) return std::nullopt;
    Document all = std::move(documents.front());
    for (std::size_t at = 1; at < documents.size(); ++at) {
      all.root = merge_files(std::move(all.root), std::move(documents[at].root), all_.report);
      apply_tags(all.root);
    }
    return all;
  }

  /// Relative to the file that says so, or to the project's folder.
  const Document* open(const Document& from, const Wanted& wanted, const std::string& prefix) {
    const auto folder = from.file.path == "-" ? place_.dir : fs::path(from.file.path).parent_path().string();
    auto path = (fs::path(folder) / wanted.file).lexically_normal().string();
    std::error_code ignored;
    const auto other = (fs::path(place_.dir) / wanted.file).lexically_normal().string();
    if (!fs::exists(path, ignored) && fs::exists(other, ignored)) path = other;
    if (path == own_.file.path) return &own_;
    const auto [opened, fresh] = opened_.try_emplace(path);
    if (fresh) {
      if (auto file = all_.open(path, wanted.file_at, prefix)) opened->second = as_one(all_.parse(std::move(*file)));
    }
    return opened->second ? &*opened->second : nullptr;
  }

  Document& own_;
  const std::vector<const Node*>& known_;
  const Place& place_;
  Assembly& all_;
  std::map<std::string, std::optional<Document>> opened_;
  std::map<Key, std::optional<Node>> done_;
  std::vector<Key> chain_;
};

}  // namespace

void resolve_extends(Document& document, const std::vector<const Node*>& known, const Place& place, Assembly& all) {
  Extends(document, known, place, all).all_services();
}

}  // namespace devstack::stack
