#pragma once

#include <filesystem>
#include <string>

namespace devstack::test {

/// A fresh directory that goes with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file below it, making folders; returns its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);
/// A TCP port that was free on 127.0.0.1 a moment ago.
unsigned short free_port();

}  // namespace devstack::test
