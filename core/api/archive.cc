#include "core/api/archive.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "core/api/gzip.h"
#include "core/api/json_writer.h"

namespace devstack::api {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::string_view kMeta = "meta.json", kState = "state.bin", kSums = "SHA256SUMS";
constexpr std::size_t kSizeAt = 124, kSizeLength = 12, kChecksumAt = 148, kChecksumLength = 8;

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), sum.data(), &length, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", sum.at(i));
  return out;
}

/// Of a header, its own field counted as spaces.
unsigned checksum_of(std::string_view header) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksumAt && i < kChecksumAt + kChecksumLength;
    sum += own ? unsigned{' '} : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

std::size_t padding_of(std::size_t size) { return (kBlock - size % kBlock) % kBlock; }

void append_file(std::string& tar, std::string_view name, std::string_view content, std::time_t made) {
  std::string header(kBlock, '\0');
  const auto place = [&header](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  place(0, name);
  place(100, "0000600");
  place(108, "0000000"), place(116, "0000000");
  place(kSizeAt, fmt::format("{:011o}", content.size()));
  place(136, fmt::format("{:011o}", std::max<std::time_t>(made, 0)));
  header[156] = '0';  // a regular file
  place(257, std::string_view("ustar\00000", 8));
  place(kChecksumAt, fmt::format("{:06o}", checksum_of(header)));
  header[kChecksumAt + 7] = ' ';
  tar.append(header).append(content).append(padding_of(content.size()), '\0');
}

std::string meta_json(const SnapshotMeta& meta, std::size_t state_bytes) {
  JsonWriter out;
  out.open_object();
  out.field("Version", 1);
  out.field("ID", fmt::format("2-{}-{}", meta.index, static_cast<std::int64_t>(meta.made) * 1000));
  out.field("Index", meta.index);
  out.field("Term", 2);
  out.field("Peers", "");
  out.key("Configuration");
  out.open_object();
  out.key("Servers");
  out.open_array();
  out.open_object();
  out.field("Suffrage", 0);
  out.field("ID", meta.server_id);
  out.field("Address", meta.server_address);
  out.close_object();
  out.close_array();
  out.close_object();
  out.field("ConfigurationIndex", 1);
  out.field("Size", std::uint64_t{state_bytes});
  out.close_object();
  return out.take() + "\n";
}

/// What is wrong past the gzip header, in Consul's words.
tl::unexpected<Error> unreadable(std::string_view why) {
  return fail(Errc::failed, "failed to read snapshot file: {}", why);
}

Result<std::string> gunzip(std::string_view packed, std::size_t most_bytes) {
  if (packed.empty()) return fail(Errc::failed, "failed to decompress snapshot: EOF");
  if (packed.size() < 10) return fail(Errc::failed, "failed to decompress snapshot: unexpected EOF");
  if (!packed.starts_with("\x1f\x8b\x08"))
    return fail(Errc::failed, "failed to decompress snapshot: gzip: invalid header");
  constexpr int kGzipWindow = 15 + 16;
  constexpr std::size_t kStep = 1U << 20U;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return fail(Errc::failed, "failed to decompress snapshot: no memory");
  struct End {
    z_stream& stream;
    ~End() { inflateEnd(&stream); }
  } end{stream};
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  while (true) {
    const auto have = out.size();
    if (have > most_bytes) return unreadable(fmt::format("it is larger than {} bytes", most_bytes));
    out.resize(have + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = kStep;
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(have + kStep - stream.avail_out);
    if (result == Z_STREAM_END) break;
    if (result != Z_OK && result != Z_BUF_ERROR) return unreadable("failed reading snapshot: gzip: invalid data");
    if (stream.avail_in == 0 && stream.avail_out > 0) return unreadable("failed reading snapshot: unexpected EOF");
  }
  if (stream.avail_in > 0) return unreadable(fmt::format("{} bytes follow the archive", stream.avail_in));
  return out;
}

using Files = std::map<std::string, std::string_view, std::less<>>;

Result<Files> read_tar(std::string_view tar) {
  Files files;
  while (tar.size() >= kBlock && tar.front() != '\0') {
    const auto header = tar.substr(0, kBlock);
    const std::string name(header.substr(0, std::min<std::size_t>(header.find('\0'), 100)));
    const auto digits = header.substr(kSizeAt, kSizeLength - 1);
    std::size_t size = 0, sum = 0;
    const auto size_read = std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
    auto sum_digits = header.substr(kChecksumAt, kChecksumLength);
    sum_digits.remove_prefix(std::min(sum_digits.find_first_not_of(' '), sum_digits.size()));
    const auto sum_read = std::from_chars(sum_digits.data(), sum_digits.data() + sum_digits.size(), sum, 8);
    if (size_read.ec != std::errc() || sum_read.ec != std::errc() || sum != checksum_of(header)) {
      return unreadable("failed reading snapshot: archive/tar: invalid tar header");
    }
    tar.remove_prefix(kBlock);
    if (size > tar.size()) return unreadable("failed reading snapshot: unexpected EOF");
    if (name != kMeta && name != kState && name != kSums) {
      return unreadable(fmt::format("unexpected file \"{}\" in snapshot", name));
    }
    files[name] = tar.substr(0, size);
    tar.remove_prefix(std::min(size + padding_of(size), tar.size()));
  }
  return files;
}

/// Every line of SHA256SUMS against its file, and a line for every file.
Result<void> compare_sums(const Files& files) {
  const auto found = files.find(kSums);
  std::string_view rest = found == files.end() ? "" : found->second;
  const auto integrity = [](std::string_view why) {
    return unreadable(fmt::format("failed checking integrity of snapshot: {}", why));
  };
  std::map<std::string, bool, std::less<>> seen{{std::string(kMeta), false}, {std::string(kState), false}};
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto gap = line.find("  ");
    const auto name = gap == std::string_view::npos ? line : line.substr(gap + 2);
    const auto expected = seen.find(name);
    if (expected == seen.end()) return integrity(fmt::format("list missing hash for \"{}\"", name));
    const auto file = files.find(name);
    const auto sum = sha256(file == files.end() ? "" : file->second);
    if (line.substr(0, gap) != sum) return integrity(fmt::format("hash check failed for \"{}\"", name));
    expected->second = true;
  }
  for (const auto& [name, there] : seen) {
    if (!there) return integrity(fmt::format("file missing for \"{}\"", name));
  }
  return {};
}

}  // namespace

std::string pack_snapshot(const SnapshotMeta& meta, std::string_view state_bin) {
  const auto description = meta_json(meta, state_bin.size());
  std::string tar;
  tar.reserve(state_bin.size() + 8 * kBlock);
  append_file(tar, kMeta, description, meta.made);
  append_file(tar, kState, state_bin, meta.made);
  append_file(tar, kSums, fmt::format("{}  {}\n{}  {}\n", sha256(description), kMeta, sha256(state_bin), kState),
              meta.made);
  tar.append(2 * kBlock, '\0');
  return gzip(tar);
}

Result<std::string> pack_snapshot(const SnapshotMeta& meta, std::string_view state_bin, ArchiveBounds bounds) {
  constexpr std::size_t kAround = 16 * kBlock;  // the other two files, the headers and the end take fewer
  const auto too_large = [] {
    return fail(Errc::failed, "failed to save snapshot: it is larger than a restore would take");
  };
  if (bounds.unpacked_bytes < kAround || state_bin.size() > bounds.unpacked_bytes - kAround) return too_large();
  auto packed = pack_snapshot(meta, state_bin);
  if (packed.empty()) return fail(Errc::failed, "failed to compress snapshot file");
  if (packed.size() > bounds.packed_bytes) return too_large();
  return packed;
}

Result<std::string> unpack_snapshot(std::string_view archive, std::size_t most_bytes) {
  TRY(const auto tar, gunzip(archive, most_bytes));
  TRY(const auto files, read_tar(tar));
  CHECK(compare_sums(files));
  const auto state = files.find(kState);
  return std::string(state == files.end() ? "" : state->second);
}

}  // namespace devstack::api
