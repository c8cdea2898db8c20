#include "core/docker/tar.h"

#include <fmt/format.h>

#include <algorithm>

namespace devstack::docker {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameMost = 100;

void pad(std::string& out) { out.append((kBlock - out.size() % kBlock) % kBlock, '\0'); }

void append_header(std::string& out, std::string_view name, const TarEntry& entry, std::size_t size, char type) {
  std::string block(kBlock, '\0');
  const auto put = [&block](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, name.substr(0, kNameMost));
  put(100, fmt::format("{:07o}", entry.mode & 07777U));
  put(108, fmt::format("{:07o}", entry.uid & 07777777U));
  put(116, fmt::format("{:07o}", entry.gid & 07777777U));
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", std::max<std::int64_t>(entry.modified, 0)));
  put(148, "        ");  // the checksum counts its own field as spaces
  block[156] = type;
  if (type == '2') put(157, std::string_view(entry.link_target).substr(0, kNameMost));
  put(257, std::string_view("ustar\00000", 8));
  put(265, "root");
  put(297, "root");
  std::uint32_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  out.append(block);
}

void append_long(std::string& out, const std::string& text, char type) {
  append_header(out, "././@LongLink", TarEntry{{}, {}, 0644}, text.size() + 1, type);
  out.append(text).push_back('\0');
  pad(out);
}

/// Octal, or GNU's base 256 with the highest bit set.
std::uint64_t number(std::string_view field) {
  std::uint64_t value = 0;
  if (!field.empty() && (static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    for (const char c : field.substr(1)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  for (const char c : field) {
    if (c >= '0' && c <= '7') value = value * 8 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::string text_of(std::string_view field) { return std::string(field.substr(0, field.find('\0'))); }

/// "27 path=some/long/name\n", several of them: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
std::string pax_value(std::string_view records, std::string_view key) {
  while (!records.empty()) {
    const auto space = records.find(' ');
    if (space == std::string_view::npos) break;
    std::size_t length = 0;
    for (const char c : records.substr(0, space)) length = length * 10 + static_cast<unsigned>(c - '0');
    if (length <= space + 1 || length > records.size()) break;
    const auto record = records.substr(space + 1, length - space - 2);
    if (record.starts_with(key) && record.substr(key.size()).starts_with('=')) {
      return std::string(record.substr(key.size() + 1));
    }
    records.remove_prefix(length);
  }
  return {};
}

}  // namespace

void append_tar_entry(std::string& out, const TarEntry& entry) {
  const bool directory = entry.path.ends_with('/');
  const bool link = !directory && !entry.link_target.empty();
  if (entry.path.size() > kNameMost) append_long(out, entry.path, 'L');
  if (entry.link_target.size() > kNameMost) append_long(out, entry.link_target, 'K');
  const bool file = !directory && !link;
  append_header(out, entry.path, entry, file ? entry.content.size() : 0, directory ? '5' : link ? '2' : '0');
  if (!file) return;
  out.append(entry.content);
  pad(out);
}

void end_tar(std::string& out) { out.append(2 * kBlock, '\0'); }

std::string tar_of(const std::vector<TarEntry>& entries) {
  std::string out;
  std::size_t total = 2 * kBlock;
  for (const auto& entry : entries) total += 2 * kBlock + entry.content.size() + kBlock;
  out.reserve(total);
  for (const auto& entry : entries) append_tar_entry(out, entry);
  end_tar(out);
  return out;
}

Result<std::vector<TarEntry>> read_tar(std::string_view tar) {
  std::vector<TarEntry> all;
  std::string long_name, long_link;
  while (tar.size() >= kBlock && tar[0] != '\0') {
    const auto head = tar.substr(0, kBlock);
    if (head.substr(257, 5) != "ustar") return fail(Errc::parse, "not a tar archive");
    const auto size = number(head.substr(124, 12));
    const auto padded = (size + kBlock - 1) / kBlock * kBlock;
    if (size > tar.size() || padded > tar.size() - kBlock) return fail(Errc::parse, "the tar archive is cut short");
    const auto content = tar.substr(kBlock, size);
    const char type = head[156];
    tar.remove_prefix(kBlock + padded);
    if (type == 'L' || type == 'K') {
      (type == 'L' ? long_name : long_link) = text_of(content);
      continue;
    }
    if (type == 'x') {
      if (auto name = pax_value(content, "path"); !name.empty()) long_name = std::move(name);
      if (auto link = pax_value(content, "linkpath"); !link.empty()) long_link = std::move(link);
      continue;
    }
    TarEntry entry;
    const auto prefix = head.substr(257, 6) == std::string_view("ustar\0", 6) ? text_of(head.substr(345, 155)) : "";
    entry.path = !long_name.empty() ? long_name : (prefix.empty() ? "" : prefix + "/") + text_of(head.substr(0, 100));
    const auto link = !long_link.empty() ? long_link : text_of(head.substr(157, 100));
    long_name.clear();
    long_link.clear();
    entry.mode = static_cast<std::uint32_t>(number(head.substr(100, 8))) & 07777U;
    entry.uid = static_cast<std::uint32_t>(number(head.substr(108, 8)));
    entry.gid = static_cast<std::uint32_t>(number(head.substr(116, 8)));
    entry.modified = static_cast<std::int64_t>(number(head.substr(136, 12)));
    if (type == '5' && !entry.path.ends_with('/')) entry.path += '/';
    if (type == '2') entry.link_target = link;
    if (type == '0' || type == '\0') entry.content = std::string(content);
    if (type == '1') {
      const auto original = std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.path == link; });
      if (original == all.end()) return fail(Errc::parse, "{} is a link to what the archive does not hold", entry.path);
      entry.content = original->content;
    }
    if (type == '0' || type == '\0' || type == '1' || type == '2' || type == '5') all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace devstack::docker
