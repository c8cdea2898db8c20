#include "core/api/archive.h"

#include <gtest/gtest.h>

#include "core/api/gzip.h"

namespace devstack::api {
namespace {

constexpr std::size_t kPlenty = 1U << 20U;

std::string archive(std::string_view state) { return pack_snapshot({7, "id", "127.0.0.1:8300", 1700000000}, state); }

std::string refusal(std::string_view bytes, std::size_t most = kPlenty) {
  const auto unpacked = unpack_snapshot(bytes, most);
  return unpacked ? "accepted" : unpacked.error().message;
}

/// A tar block for `name` with `size` bytes announced.
std::string header(std::string_view name, std::string_view size) {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(124, size.size(), size);
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  char text[8];
  snprintf(text, sizeof text, "%06o", sum);
  block.replace(148, 7, std::string_view(text, 7));
  return block;
}

TEST(Archive, GivesBackWhatWasPacked) {
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 100000U}) {
    const std::string state(size, 's');
    const auto unpacked = unpack_snapshot(archive(state), kPlenty);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_EQ(*unpacked, state);
  }
}

TEST(Archive, IsNotMadeLargerThanWhatIsTakenBack) {
  const SnapshotMeta meta{7, "id", "127.0.0.1:8300", 1700000000};
  const auto text = [&](std::size_t size, ArchiveBounds bounds) {
    const auto packed = pack_snapshot(meta, std::string(size, 's'), bounds);
    return packed ? "packed" : packed.error().message;
  };
  const std::string refused = "failed to save snapshot: it is larger than a restore would take";
  EXPECT_EQ(text(kPlenty, {kPlenty, kPlenty}), refused);
  EXPECT_EQ(text(kPlenty / 2, {100, kPlenty}), refused);
  EXPECT_EQ(text(kPlenty, {kPlenty, 100}), refused);
  EXPECT_EQ(text(kPlenty / 2, {kPlenty, kPlenty}), "packed");
  // What is just small enough is taken.
  const std::string state(kPlenty - 16 * 512, 's');
  const auto packed = pack_snapshot(meta, state, {kPlenty, kPlenty});
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(refusal(*packed), "accepted");
}

TEST(Archive, SaysWhatIsNoGzip) {
  EXPECT_EQ(refusal(""), "failed to decompress snapshot: EOF");
  EXPECT_EQ(refusal("short"), "failed to decompress snapshot: unexpected EOF");
  EXPECT_EQ(refusal("certainly not an archive"), "failed to decompress snapshot: gzip: invalid header");
}

TEST(Archive, RefusesEveryCutAndNoticesEveryFlippedByte) {
  const auto whole = archive("some state");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(refusal(std::string_view(whole).substr(0, length)), "accepted") << length;
  }
  for (std::size_t at = 10; at < whole.size(); ++at) {  // the first ten bytes hold a time and other things of no weight
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    const auto unpacked = unpack_snapshot(damaged, kPlenty);
    // Compression has more than one way to say the same: then nothing was damaged.
    EXPECT_TRUE(!unpacked || *unpacked == "some state") << at;
  }
  EXPECT_NE(refusal(whole + "more"), "accepted");
}

TEST(Archive, NamesTheFileWhoseSumIsWrong) {
  const auto tar_of = [](std::string_view sums) {
    std::string tar = header("meta.json", "00000000000");
    tar += header("state.bin", "00000000000");
    std::string size(11, '0');
    snprintf(size.data(), 12, "%011zo", sums.size());
    tar += header("SHA256SUMS", size) + std::string(sums);
    tar.resize((tar.size() + 511) / 512 * 512 + 1024);
    return gzip(tar);
  };
  const std::string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  EXPECT_EQ(refusal(tar_of(empty + "  meta.json\n" + empty + "  state.bin\n")), "accepted");
  const std::string before = "failed to read snapshot file: failed checking integrity of snapshot: ";
  EXPECT_EQ(refusal(tar_of(empty + "  meta.json\n" + std::string(64, '0') + "  state.bin\n")),
            before + "hash check failed for \"state.bin\"");
  EXPECT_EQ(refusal(tar_of(empty + "  meta.json\n")), before + "file missing for \"state.bin\"");
  EXPECT_EQ(refusal(tar_of(empty + "  passwd\n")), before + "list missing hash for \"passwd\"");
}

TEST(Archive, RefusesFilesItDoesNotKnow) {
  EXPECT_EQ(refusal(gzip(header("../../etc/passwd", "00000000000") + std::string(1024, '\0'))),
            "failed to read snapshot file: unexpected file \"../../etc/passwd\" in snapshot");
}

TEST(Archive, RefusesAPromiseOfMoreThanThereIs) {
  EXPECT_EQ(refusal(gzip(header("state.bin", "77777777777") + std::string(1024, '\0'))),
            "failed to read snapshot file: failed reading snapshot: unexpected EOF");
}

TEST(Archive, UnpacksNoMoreThanItMay) {
  const auto bomb = gzip(std::string(64U << 20U, '\0'));
  ASSERT_LT(bomb.size(), 1U << 20U);
  EXPECT_EQ(refusal(bomb), "failed to read snapshot file: it is larger than 1048576 bytes");
}

}  // namespace
}  // namespace devstack::api
