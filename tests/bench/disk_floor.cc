// The floor under every durable write here: appends records of BYTES to a file, GROUP at a time, and waits for the disk
// after each group (write and fdatasync), as a log with group commit does and with nothing else. Prints records a
// second. usage: disk_floor FILE BYTES GROUP SECONDS
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: disk_floor FILE BYTES GROUP SECONDS\n");
    return 2;
  }
  const auto bytes = static_cast<std::size_t>(std::atol(argv[2]));
  const long group = std::atol(argv[3]);
  const std::chrono::duration<double> limit(std::atof(argv[4]));
  const int fd = ::open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  // The log of our store is overwritten from its beginning after a checkpoint: no growth of the file to be written too.
  const std::string room(16U << 20U, 'x');
  if (fd < 0 || ::write(fd, room.data(), room.size()) != static_cast<ssize_t>(room.size()) || ::fdatasync(fd) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  const std::string block(bytes * static_cast<std::size_t>(group), 'r');
  std::size_t at = 0;
  long records = 0;
  const auto began = std::chrono::steady_clock::now();
  std::chrono::duration<double> passed{};
  while (passed < limit) {
    if (at + block.size() > room.size()) at = 0;
    if (::pwrite(fd, block.data(), block.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(block.size()) ||
        ::fdatasync(fd) != 0) {
      std::perror(argv[1]);
      return 1;
    }
    at += block.size();
    records += group;
    passed = std::chrono::steady_clock::now() - began;
  }
  std::printf("%.0f\n", static_cast<double>(records) / passed.count());
  ::close(fd);
  ::unlink(argv[1]);
}
