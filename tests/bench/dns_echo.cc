// The floor under every DNS server here: receives a batch of datagrams, sets QR and sends it back, with the same system
// calls our server makes and nothing between them. A rate is worth quoting as a ratio to this one, measured in the same
// run.  usage: dns_echo ADDRESS PORT [answer]
// With "answer" it is a name server for whatever is asked: one A record with a TTL of an hour, for caches to ask.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t header_bytes = 12;

/// The question without its OPT, and 10.11.12.13 for it. The new size; what is no question stays as it is.
std::size_t answer(std::uint8_t* message, std::size_t size) {
  static constexpr std::array<std::uint8_t, 16> record{0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 10, 11, 12, 13};
  std::size_t at = header_bytes;
  while (at < size && message[at] != 0) at += 1U + message[at];
  at += 5;
  if (at > size) return size;
  std::copy(record.begin(), record.end(), message + at);
  message[3] = 0x80;  // RA
  message[7] = 1;     // one answer
  message[11] = 0;    // no OPT
  return at + record.size();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: dns_echo ADDRESS PORT [answer]\n");
    return 2;
  }
  const bool answers = argc == 4;
  constexpr std::size_t batch = 64;
  constexpr std::size_t bytes = 4096;
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int buffer = 1 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  if (::inet_pton(AF_INET, argv[1], &address.sin_addr) != 1 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("bind");
    return 1;
  }
  std::vector<std::uint8_t> data(batch * bytes);
  std::array<sockaddr_in, batch> peers{};
  std::array<iovec, batch> vectors{};
  std::array<mmsghdr, batch> messages{};
  for (;;) {
    for (std::size_t i = 0; i < batch; ++i) {
      vectors[i] = {data.data() + i * bytes, bytes - 16};
      messages[i].msg_hdr.msg_name = &peers[i];
      messages[i].msg_hdr.msg_namelen = sizeof peers[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(fd, messages.data(), batch, MSG_WAITFORONE, nullptr);
    if (count <= 0) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      data[i * bytes + 2] |= 0x80;
      vectors[i].iov_len = answers ? answer(data.data() + i * bytes, messages[i].msg_len) : messages[i].msg_len;
    }
    ::sendmmsg(fd, messages.data(), static_cast<unsigned>(count), 0);
  }
}
