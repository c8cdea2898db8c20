// What a container finds mounted. https://docs.docker.com/reference/compose-file/services/#volumes
#include <algorithm>

#include "core/base/suggest.h"
#include "core/stack/fields.h"
#include "core/stack/schema.h"

namespace devstack::stack {
namespace {

using R = const Reading&;
using V = const Node&;

constexpr std::array<std::string_view, 6> kPropagations{"rprivate", "private", "rshared", "shared", "rslave", "slave"};
constexpr std::array<std::string_view, 2> kSelinux{"z", "Z"};
constexpr std::array<std::string_view, 4> kRecursions{"enabled", "disabled", "writable", "readonly"};
constexpr std::array<std::string_view, 4> kTypes{"bind", "volume", "tmpfs", "image"};

bool is_path(std::string_view source) {
  return source.starts_with('.') || source.starts_with('/') || source.starts_with('~');
}

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The comma-separated options of the short form; false (and reported) for one that is unknown.
bool read_options(Mount& mount, std::string_view options, V item, R in) {
  while (!options.empty()) {
    const auto option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    if (option == "ro" || option == "rw") {
      mount.read_only = option == "ro";
    } else if (contains(kSelinux, option)) {
      mount.selinux = option;
    } else if (option == "nocopy") {
      mount.nocopy = true;
    } else if (contains(kPropagations, option)) {
      mount.propagation = option;
    } else if (option != "cached" && option != "delegated" && option != "consistent") {
      in.report.error(item.at,
                      "{}expected ro, rw, z, Z, nocopy or a propagation like rslave after the path, found \"{}\"",
                      item.prefix(), option);
      return false;
    }
  }
  return true;
}

/// Refuses what the kind of mount has no use for.
bool check_mount(const Mount& mount, V item, R in) {
  if (!mount.target.starts_with('/')) {
    in.report.error(item.at, "{}the path in the container must be absolute, found \"{}\"", item.prefix(), mount.target);
    return false;
  }
  if (mount.kind != MountKind::volume && mount.nocopy) {
    in.report.error(item.at, "{}`nocopy` is for volumes: a folder of the host is never filled from the image",
                    item.prefix());
    return false;
  }
  if (mount.kind != MountKind::bind && !mount.propagation.empty()) {
    in.report.error(item.at, "{}`{}` is for folders of the host, not for a volume", item.prefix(), mount.propagation);
    return false;
  }
  return true;
}

/// "target", "source:target" or "source:target:options".
std::optional<Mount> short_volume(V item, R in) {
  Mount mount;
  const std::string_view text = item.text;
  const auto first = text.find(':');
  if (first == std::string_view::npos) {
    mount.kind = MountKind::volume;
    mount.target = text;
    if (is_path(text) && !text.starts_with('/')) {
      in.report.error(item.at, "{}where in the container? Write {}:/path", item.prefix(), text);
      return std::nullopt;
    }
    return check_mount(mount, item, in) ? std::optional(mount) : std::nullopt;
  }
  mount.source = text.substr(0, first);
  auto rest = text.substr(first + 1);
  mount.target = rest.substr(0, rest.find(':'));
  rest.remove_prefix(std::min(mount.target.size() + 1, rest.size()));
  if (mount.source.empty()) {
    in.report.error(item.at, "{}nothing stands before the `:`", item.prefix());
    return std::nullopt;
  }
  mount.kind = is_path(mount.source) ? MountKind::bind : MountKind::volume;
  if (mount.kind == MountKind::bind) mount.source = absolute_path(mount.source, in);
  if (!read_options(mount, rest, item, in) || !check_mount(mount, item, in)) return std::nullopt;
  return mount;
}

constexpr Field<Mount> kBind[] = {
    {"propagation", [](Mount& m, V v, R in) { m.propagation = read_choice(v, kPropagations, in).value_or(""); },
     "propagation"},
    {"create_host_path", Into<&Mount::create_host_path>::flag, "switch"},
    {"selinux", [](Mount& m, V v, R in) { m.selinux = read_choice(v, kSelinux, in).value_or(""); }, "selinux"},
    {"recursive",
     [](Mount&, V v, R in) {
       const auto text = read_choice(v, kRecursions, in);
       if (text && *text != "enabled") {
         in.report.error(v.at, "{}\"{}\" is not supported: mounts below the folder are always seen", v.prefix(), *text);
       }
     },
     "recursion"},
};
constexpr Field<Mount> kVolume[] = {
    {"nocopy", Into<&Mount::nocopy>::flag, "switch"},
    {"subpath", Into<&Mount::subpath>::text, "text"},
};
constexpr Unsupported kVolumeNot[] = {{"labels", "give them to the volume under top-level `volumes`"}};
constexpr Field<Mount> kTmpfs[] = {
    {"size", Into<&Mount::tmpfs_size>::size, "size"},
    {"mode", Into<&Mount::tmpfs_mode>::mode, "mode"},
};
constexpr Field<Mount> kImage[] = {{"subpath", Into<&Mount::subpath>::text, "text"}};

/// A sub-map that only one type of mount has.
template <MountKind kind, const auto& fields>
void sub_map(Mount& mount, V node, R in) {
  if (mount.kind != kind) {
    in.report.error(node.at, "{}this is for a mount of `type: {}`", node.prefix(), kTypes[static_cast<int>(kind)]);
    return;
  }
  if constexpr (kind == MountKind::volume) {
    read_fields<Mount>(node, mount, fields, kVolumeNot, in);
  } else {
    read_fields<Mount>(node, mount, fields, {}, in);
  }
}

/// `type` is read before the others, which depend on it.
constexpr Field<Mount> kLongForm[] = {
    {"type", ignored<Mount>, "mount_type"},
    {"source", Into<&Mount::source>::text, "text"},
    {"target", Into<&Mount::target>::text, "text"},
    {"read_only", Into<&Mount::read_only>::flag, "switch"},
    {"consistency", ignored<Mount>, "text"},
    {"bind", sub_map<MountKind::bind, kBind>, "mount_bind"},
    {"volume", sub_map<MountKind::volume, kVolume>, "mount_volume"},
    {"tmpfs", sub_map<MountKind::tmpfs, kTmpfs>, "mount_tmpfs"},
    {"image", sub_map<MountKind::image, kImage>, "mount_image"},
};

std::optional<MountKind> read_type(V item, R in) {
  const Node* type = item.find("type");
  if (type == nullptr) {
    in.report.error(item.at, "{}`type` is missing: bind, volume, tmpfs or image", item.prefix());
    return std::nullopt;
  }
  if (type->kind == Node::Kind::scalar && (type->text == "npipe" || type->text == "cluster")) {
    in.report.error(type->at, "{}a mount of type \"{}\" is not supported: use bind or volume", type->prefix(),
                    type->text);
    return std::nullopt;
  }
  const auto text = read_choice(*type, kTypes, in);
  if (!text || !contains(kTypes, *text)) return std::nullopt;
  return static_cast<MountKind>(std::find(kTypes.begin(), kTypes.end(), *text) - kTypes.begin());
}

std::optional<Mount> long_volume(V item, R in) {
  const auto kind = read_type(item, in);
  if (!kind) return std::nullopt;
  Mount mount;
  mount.kind = *kind;
  read_fields<Mount>(item, mount, kLongForm, {}, in);
  if (item.find("target") == nullptr) {
    in.report.error(item.at, "{}`target` (the path in the container) is missing", item.prefix());
    return std::nullopt;
  }
  const bool needs_source = *kind == MountKind::bind || *kind == MountKind::image;
  if (needs_source && mount.source.empty()) {
    in.report.error(item.at, "{}`source` is missing", item.prefix());
    return std::nullopt;
  }
  if (*kind == MountKind::tmpfs && !mount.source.empty()) {
    in.report.error(item.at, "{}a tmpfs has no `source`: remove it", item.prefix());
    return std::nullopt;
  }
  if (*kind == MountKind::bind) mount.source = absolute_path(mount.source, in);
  return check_mount(mount, item, in) ? std::optional(mount) : std::nullopt;
}

}  // namespace

std::vector<Mount> read_volumes(const Node& node, const Reading& in) {
  std::vector<Mount> volumes;
  for (const auto& item : read_items(node, in)) {
    std::optional<Mount> volume;
    if (item.kind == Node::Kind::scalar) {
      volume = short_volume(item, in);
    } else if (item.kind == Node::Kind::map) {
      volume = long_volume(item, in);
    } else {
      wrong_type(item, "a string or a map", in);
    }
    if (volume) volumes.push_back(std::move(*volume));
  }
  return volumes;
}

Texts read_volumes_from(const Node& node, const Reading& in) {
  auto texts = read_texts(node, in);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string_view name = texts[i];
    if (name.starts_with("container:")) name.remove_prefix(10);
    const auto colon = name.find(':');
    const auto options = colon == std::string_view::npos ? "rw" : name.substr(colon + 1);
    if (name.substr(0, colon).empty() || (options != "ro" && options != "rw")) {
      in.report.error(node.at, "{}expected name[:ro] or container:name[:ro], found \"{}\"", node.prefix(), texts[i]);
    }
  }
  return texts;
}

void add_mount_shapes(Shapes& into) {
  into.map("mount", kLongForm);
  into.map("mount_bind", kBind);
  into.map("mount_volume", kVolume);
  into.map("mount_tmpfs", kTmpfs);
  into.map("mount_image", kImage);
}

}  // namespace devstack::stack
