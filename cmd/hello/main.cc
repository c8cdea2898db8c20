// hello: the demo service of devstack. An HTTP server that says which instance answered, as one static program that
// needs nothing around it: `hello` serves on $PORT (8080), `hello --check` asks it whether it is well (exit 0 or 1),
// which is what an image without a shell needs for its HEALTHCHECK. SIGTERM finishes open requests, then ends.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

constexpr std::size_t kMaxConnections = 1000;
constexpr std::size_t kMaxRequestBytes = 64 << 10;

volatile sig_atomic_t stopping = 0;

struct Connection {
  int fd = -1;
  std::string in;
  std::string out;
  bool closing = false;
};

int port_from_environment() {
  const char* text = getenv("PORT");
  const int port = text != nullptr ? atoi(text) : 8080;
  return port > 0 && port < 65536 ? port : 8080;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string hostname() {
  char name[256] = "unknown";
  gethostname(name, sizeof name - 1);
  return name;
}

/// The first line's path, without the query.
std::string path_of(const std::string& head) {
  const auto from = head.find(' ');
  if (from == std::string::npos) return "/";
  const auto to = head.find_first_of(" ?\r", from + 1);
  return head.substr(from + 1, to == std::string::npos ? std::string::npos : to - from - 1);
}

std::string answer(const std::string& head, bool close_after) {
  const std::string path = path_of(head);
  const char* name = getenv("HELLO_NAME");
  std::string body;
  const char* status = "200 OK";
  if (path == "/health") {
    body = "ok\n";
  } else if (path == "/" || path == "/hello") {
    body = std::string("Hello from ") + (name != nullptr ? name : "devstack") + "! I am " + hostname() + ", process " +
           std::to_string(getpid()) + ", on port " + std::to_string(port_from_environment()) + ".\n";
  } else {
    status = "404 Not Found";
    body = "nothing at " + path + "; try / or /health\n";
  }
  return std::string("HTTP/1.1 ") + status +
         "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) +
         (close_after ? "\r\nConnection: close" : "") + "\r\n\r\n" + (head.rfind("HEAD ", 0) == 0 ? "" : body);
}

bool has_token(const std::string& head, const char* wanted) { return strcasestr(head.c_str(), wanted) != nullptr; }

/// Answers every whole request in the buffer. Requests with a body are read past by Content-Length.
void serve(Connection& c) {
  while (!c.closing) {
    const auto end = c.in.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (c.in.size() > kMaxRequestBytes) c.closing = true;
      return;
    }
    const std::string head = c.in.substr(0, end + 2);
    std::size_t body = 0;
    if (const char* at = strcasestr(head.c_str(), "\ncontent-length:")) {
      body = static_cast<std::size_t>(strtoul(at + 16, nullptr, 10));
    }
    if (body > kMaxRequestBytes) {
      c.closing = true;
      return;
    }
    if (c.in.size() < end + 4 + body) return;
    c.in.erase(0, end + 4 + body);
    const bool close_after = stopping != 0 || has_token(head, "\nconnection: close") ||
                             (has_token(head, " http/1.0\r") && !has_token(head, "\nconnection: keep-alive"));
    c.out += answer(head, close_after);
    c.closing = close_after;
  }
}

/// False when the connection is to be closed now.
bool exchange(Connection& c, short events) {
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
    char buffer[8192];
    const ssize_t got = recv(c.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    c.in.append(buffer, static_cast<std::size_t>(got));
    serve(c);
  }
  if (!c.out.empty()) {
    const ssize_t sent = send(c.fd, c.out.data(), c.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    c.out.erase(0, static_cast<std::size_t>(sent));
  }
  return !(c.closing && c.out.empty());
}

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(port);
  // A container's port must be reachable from outside it; a host process stays on loopback unless $HOST says so.
  const char* bind_to = getenv("HOST");
  if (bind_to != nullptr) inet_pton(AF_INET, bind_to, &address.sin_addr);
  if (bind_to == nullptr && getpid() == 1) address.sin_addr.s_addr = htonl(INADDR_ANY);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 512) != 0) {
    fprintf(stderr, "hello: cannot listen on port %d: %s\n", port, strerror(errno));
    return -1;
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

int run() {
  const int port = port_from_environment();
  int listener = listen_on(port);
  if (listener < 0) return 1;
  printf("hello: serving on port %d\n", port);
  fflush(stdout);
  std::vector<Connection> connections;
  std::vector<pollfd> polled;
  while (stopping == 0 || !connections.empty()) {
    if (stopping != 0 && listener >= 0) {
      close(listener);
      listener = -1;
      // Idle keep-alive connections end now; the others after their answer.
      std::erase_if(connections, [](const Connection& c) {
        const bool idle = c.in.empty() && c.out.empty();
        if (idle) close(c.fd);
        return idle;
      });
      continue;
    }
    polled.clear();
    for (const auto& c : connections) {
      polled.push_back({c.fd, static_cast<short>(POLLIN | (c.out.empty() ? 0 : POLLOUT)), 0});
    }
    if (listener >= 0) polled.push_back({listener, POLLIN, 0});
    if (poll(polled.data(), polled.size(), stopping != 0 ? 1000 : -1) <= 0) {
      if (stopping != 0 && listener < 0) break;  // a client that keeps its request half-sent does not keep us
      continue;
    }
    const std::size_t known = connections.size();
    for (std::size_t i = 0; i < known; ++i) {
      if (polled[i].revents != 0 && !exchange(connections[i], polled[i].revents)) {
        close(connections[i].fd);
        connections[i].fd = -1;
      }
    }
    if (listener >= 0 && (polled.back().revents & POLLIN) != 0) {
      for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connections.size() >= kMaxConnections) {
          close(fd);
        } else {
          connections.push_back({fd, {}, {}, false});
        }
      }
    }
    std::erase_if(connections, [](const Connection& c) { return c.fd < 0; });
  }
  puts("hello: bye");
  return 0;
}

int check() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port_from_environment());
  // Where the server was told to listen ($HOST); "everywhere" is on loopback too.
  const char* host = getenv("HOST");
  if (host != nullptr && strcmp(host, "0.0.0.0") != 0) inet_pton(AF_INET, host, &address.sin_addr);
  const timeval limit{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  constexpr char request[] = "GET /health HTTP/1.0\r\n\r\n";
  char reply[64] = "";
  const bool well = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
                    recv(fd, reply, sizeof reply - 1, 0) > 12 && strncmp(reply, "HTTP/1.1 200", 12) == 0;
  puts(well ? "ok" : "no answer");
  return well ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--check") == 0) return check();
  if (argc > 1) {
    fputs("usage: hello [--check]   serves HTTP on $PORT (8080), or asks such a server whether it is well\n", stderr);
    return 2;
  }
  struct sigaction action {};
  action.sa_handler = [](int) { stopping = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  return run();
}
