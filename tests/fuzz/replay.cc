// Feeds files, or every file of folders, to a fuzz target that was built without libFuzzer.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;

/// False when it cannot be read.
bool replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return false;
  std::fprintf(stderr, "%s\n", path.c_str());
  // A copy of its own size, so that a sanitizer sees a read past its end.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<fs::path> inputs;
  for (int i = 1; i < count; ++i) {
    std::error_code error;
    if (!fs::is_directory(arguments[i], error)) {
      inputs.emplace_back(arguments[i]);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(arguments[i], error)) inputs.push_back(entry.path());
  }
  if (inputs.empty()) {
    std::fprintf(stderr, "usage: %s FILE|FOLDER...\n", arguments[0]);
    return 2;
  }
  for (const auto& path : inputs) {
    if (replay(path)) continue;
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return 2;
  }
  std::fprintf(stderr, "%zu inputs\n", inputs.size());
  return 0;
}
