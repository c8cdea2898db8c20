#include "core/net/proc_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devstack::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view tcp_table =
    R"(  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 2222 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 3333 1 0000000000000000 100 0 0 10 0
   3: 0100007F:1F90 0100007F:C351 06 00000000:00000000 03:00000EA8 00000000     0        0 0 3 0000000000000000
)";
constexpr std::string_view udp6_table =
    R"(   sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1234: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4444 2 0000000000000000 0
)";

TEST(ProcNet, FindsListeningSocketsOfAPort) {
  EXPECT_THAT(socket_inodes(tcp_table, 8080, SocketState::listening), ElementsAre(1111));
  EXPECT_THAT(socket_inodes(tcp_table, 53, SocketState::listening), ElementsAre(3333));
  EXPECT_THAT(socket_inodes(tcp_table, 81, SocketState::listening), IsEmpty());
}

TEST(ProcNet, FindsUnconnectedSocketsWhateverTheirState) {
  EXPECT_THAT(socket_inodes(udp6_table, 53, SocketState::any), ElementsAre(4444));
  EXPECT_THAT(socket_inodes(tcp_table, 8080, SocketState::any), ElementsAre(1111, 2222));  // not the one without inode
}

TEST(ProcNet, IgnoresWhatIsNoTable) {
  EXPECT_THAT(socket_inodes("", 53, SocketState::any), IsEmpty());
  EXPECT_THAT(socket_inodes("a b c\n\n: :0035 x\n", 53, SocketState::any), IsEmpty());
}

TEST(ProcNet, ReadsLinksOfSockets) {
  EXPECT_EQ(socket_inode("socket:[12345]"), 12345U);
  EXPECT_EQ(socket_inode("pipe:[12345]"), std::nullopt);
  EXPECT_EQ(socket_inode("socket:[x]"), std::nullopt);
  EXPECT_EQ(socket_inode("socket:["), std::nullopt);
}

TEST(ProcNet, SaysWhatADockerProxyPublishes) {
  using std::string_literals::operator""s;
  EXPECT_EQ(docker_proxy_target("/usr/sbin/docker-proxy\0-proto\0tcp\0-host-ip\0"s
                                "0.0.0.0\0-host-port\0"s
                                "8080\0-container-ip\0"s
                                "172.17.0.2\0-container-port\0"s
                                "80\0"s),
            "172.17.0.2:80");
  EXPECT_EQ(docker_proxy_target("/usr/sbin/docker-proxy\0-container-ip\0"s), "");
  EXPECT_EQ(docker_proxy_target(""), "");
}

}  // namespace
}  // namespace devstack::net
