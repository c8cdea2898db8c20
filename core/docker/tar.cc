#include "core/docker/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace devstack::docker {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameMost = 100;

void pad(std::string& out) { out.append((kBlock - out.size() % kBlock) % kBlock, '\0'); }

void append_header(std::string& out, std::string_view name, std::uint32_t mode, std::size_t size, char type) {
  std::string block(kBlock, '\0');
  const auto put = [&block](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, name.substr(0, kNameMost));
  put(100, fmt::format("{:07o}", mode & 07777U));
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, "00000000000");
  put(148, "        ");  // the checksum counts its own field as spaces
  block[156] = type;
  put(257, std::string_view("ustar\00000", 8));
  put(265, "root");
  put(297, "root");
  std::uint32_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  out.append(block);
}

}  // namespace

std::string tar_of(const std::vector<TarEntry>& entries) {
  std::string out;
  std::size_t total = 2 * kBlock;
  for (const auto& entry : entries) total += 2 * kBlock + entry.content.size() + kBlock;
  out.reserve(total);
  for (const auto& entry : entries) {
    const bool directory = entry.path.ends_with('/');
    if (entry.path.size() > kNameMost) {
      append_header(out, "././@LongLink", 0644, entry.path.size() + 1, 'L');
      out.append(entry.path).push_back('\0');
      pad(out);
    }
    append_header(out, entry.path, entry.mode, directory ? 0 : entry.content.size(), directory ? '5' : '0');
    if (directory) continue;
    out.append(entry.content);
    pad(out);
  }
  out.append(2 * kBlock, '\0');
  return out;
}

}  // namespace devstack::docker
