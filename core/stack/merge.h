#pragma once

#include <string>
#include <string_view>

#include "core/stack/diagnostics.h"
#include "core/stack/yaml.h"

/// Several files as one tree, by Compose's rules: maps merge, lists append, and what has rules of its own follows them
/// (merge.cc has the table). Every value keeps the place where it was written. Private to the room; pure.
/// https://docs.docker.com/reference/compose-file/merge/
namespace devstack::stack {

/// `over` on top of `base`, both whole files. What cannot be merged (a list with a map) goes to `report`, and `over`
/// stays. `!reset` leaves its mark until apply_tags.
Node merge_files(Node base, Node over, Diagnostics& report);
/// The same for two services: what `extends` does.
Node merge_services(Node base, Node over, Diagnostics& report);
/// Removes what is marked by `!reset` and forgets the marks.
void apply_tags(Node& tree);

/// Whether both say the same, wherever they stand.
bool same_value(const Node& a, const Node& b);

/// What makes an item of a list the same thing as another: the path in the container of "./data:/data:ro", for
/// instance. Private to merge.cc and merge_keys.cc; "" = nothing, the item is appended.
std::string text_key(const Node& item);
std::string mount_key(const Node& item);
std::string port_key(const Node& item);
std::string secret_key(const Node& item);
std::string config_key(const Node& item);
std::string env_file_key(const Node& item);
std::string subnet_key(const Node& item);
std::string template_key(const Node& item);

}  // namespace devstack::stack
