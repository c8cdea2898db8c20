#pragma once

#include "core/stack/read.h"

/// What a rule over more than one value looks at, and where things stand. Private to the room.
namespace devstack::stack {

struct Checking {
  const StackFile& file;
  const Node& root;
  const Reading& in;
  Diagnostics& report;

  /// The node of a key of a service; nullptr where it was not written.
  [[nodiscard]] const Node* find(const ServiceSpec& service, std::string_view key) const {
    const Node* services = root.find("services");
    const Node* node = services == nullptr ? nullptr : services->find(service.name);
    return node == nullptr ? nullptr : node->find(key);
  }
  /// Where a key of a service stands, or the service itself.
  [[nodiscard]] SourcePos where(const ServiceSpec& service, std::string_view key) const {
    const Node* value = find(service, key);
    return value == nullptr ? service.at : value->at;
  }
  /// Where the item `index` of `count` stands in a list, or an entry called `name` in a map.
  [[nodiscard]] SourcePos where(const ServiceSpec& service, std::string_view key, std::size_t index, std::size_t count,
                                std::string_view name) const {
    const Node* value = find(service, key);
    if (value == nullptr) return service.at;
    if (value->kind == Node::Kind::list && value->items.size() == count) return value->items[index].at;
    for (const auto& entry : value->entries) {
      if (entry.key == name) return entry.at;
    }
    return value->at;
  }
  /// Every service, those whose profiles are not active too.
  template <class Do>
  void each_service(Do apply) const {
    for (const auto* services : {&file.services, &file.inactive}) {
      for (const auto& [name, service] : *services) apply(service);
    }
  }
};

// --- validate_container.cc ---
void check_references(const Checking& in);
void check_network_use(const Checking& in);
void check_mounts(const Checking& in);
void check_limits(const Checking& in);
void check_build_use(const Checking& in);

}  // namespace devstack::stack
