// The floor under every DNS server here: receives a batch of datagrams, sets QR and sends it back, with the same system
// calls our server makes and nothing between them. A rate is worth quoting as a ratio to this one, measured in the same
// run.  usage: dns_echo ADDRESS PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: dns_echo ADDRESS PORT\n");
    return 2;
  }
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
      vectors[i] = {data.data() + i * bytes, bytes};
      messages[i].msg_hdr.msg_name = &peers[i];
      messages[i].msg_hdr.msg_namelen = sizeof peers[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(fd, messages.data(), batch, MSG_WAITFORONE, nullptr);
    if (count <= 0) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      data[i * bytes + 2] |= 0x80;
      vectors[i].iov_len = messages[i].msg_len;
    }
    ::sendmmsg(fd, messages.data(), static_cast<unsigned>(count), 0);
  }
}
