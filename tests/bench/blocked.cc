// Blocking queries by the thousand, and what they cost others. Opens COUNT connections, has each wait on
// GET PATH?index=N&wait=5m, then prints two numbers:
//
//     blocked ADDRESS PORT COUNT PATH            writes PATH once: milliseconds until the first and the last are
//     answered blocked ADDRESS PORT COUNT PATH COMMAND    runs COMMAND while they wait; how many were answered (should
//     be 0)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

using Time = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(const sockaddr_in& where) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) give_up("connect");
  return fd;
}

void send_text(int fd, const std::string& text) {
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) give_up("send");
}

/// Up to the end of the head, and a body as small as ours, which comes with it.
std::string receive(int fd) {
  std::string text;
  char piece[4096];
  while (text.find("\r\n\r\n") == std::string::npos) {
    const auto count = ::recv(fd, piece, sizeof piece, 0);
    if (count <= 0) give_up("recv");
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: bench\r\n\r\n"; }
std::string put(const std::string& target, const std::string& body) {
  return "PUT " + target + " HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string index_of(const std::string& answer) {
  static const std::string name = "X-Consul-Index: ";
  const auto at = answer.find(name);
  if (at == std::string::npos) return "1";
  return answer.substr(at + name.size(), answer.find('\r', at) - at - name.size());
}

std::size_t answered(std::vector<pollfd>& waiting, int timeout) {
  const int ready = ::poll(waiting.data(), waiting.size(), timeout);
  return ready < 0 ? 0 : static_cast<std::size_t>(ready);
}

double milliseconds_since(Time::time_point began) {
  return std::chrono::duration<double, std::milli>(Time::now() - began).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || argc > 6) {
    std::fprintf(stderr, "usage: blocked ADDRESS PORT COUNT PATH [COMMAND]\n");
    return 2;
  }
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  if (::inet_pton(AF_INET, argv[1], &where.sin_addr) != 1) give_up("address");
  const auto count = static_cast<std::size_t>(std::atoi(argv[3]));
  const std::string path = argv[4];
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, count + 64);
  ::setrlimit(RLIMIT_NOFILE, &files);

  const int writer = connect_to(where);
  send_text(writer, put(path, "before" + std::to_string(::getpid())));
  receive(writer);
  send_text(writer, get(path));
  const auto index = index_of(receive(writer));
  std::vector<pollfd> waiting;
  for (std::size_t i = 0; i < count; ++i) {
    waiting.push_back({connect_to(where), POLLIN, 0});
    send_text(waiting.back().fd, get(path + "?wait=5m&index=" + index));
  }
  // All of them have been read once one that was sent after them is answered, and none of them was.
  send_text(writer, get(path));
  receive(writer);
  if (answered(waiting, 200) != 0) {
    std::fprintf(stderr, "a query did not block\n");
    return 1;
  }
  if (argc == 6) {
    const int code = std::system(argv[5]);
    std::printf("%zu\n", answered(waiting, 0));
    return code == 0 ? 0 : 1;
  }

  const auto began = Time::now();
  send_text(writer, put(path, "after" + std::to_string(::getpid())));
  double first = 0;
  for (std::size_t left = count; left > 0;) {
    if (answered(waiting, 10000) == 0) {
      std::fprintf(stderr, "%zu were not released\n", left);
      return 1;
    }
    if (first == 0) first = milliseconds_since(began);
    for (auto& one : waiting) {
      if (one.fd < 0 || (one.revents & POLLIN) == 0) continue;
      receive(one.fd);
      ::close(std::exchange(one.fd, -1));
      --left;
    }
  }
  std::printf("%.1f %.1f\n", first, milliseconds_since(began));
}
