#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/dns/name.h"

/// A DNS message as values (RFC 1035 §4, EDNS: RFC 6891). Numbers of types and codes: IANA "DNS Parameters".
namespace devstack::dns {

/// Any 16-bit value may come over the wire; these are the ones with a name here.
enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  opt = 41,
  ds = 43,
  axfr = 252,
  any = 255,
};
/// "A", "SRV", or "TYPE65" (RFC 3597).
std::string to_text(Type type);
/// Without regard to case.
Result<Type> parse_type(std::string_view text);

enum class Rcode : std::uint8_t { noerror = 0, formerr = 1, servfail = 2, nxdomain = 3, notimp = 4, refused = 5 };
std::string to_text(Rcode rcode);

enum class Opcode : std::uint8_t { query = 0, notify = 4 };

inline constexpr std::uint16_t class_in = 1;

struct Header {
  std::uint16_t id = 0;
  bool response = false;  ///< QR
  Opcode opcode = Opcode::query;
  bool authoritative = false;        ///< AA
  bool truncated = false;            ///< TC
  bool recursion_desired = false;    ///< RD
  bool recursion_available = false;  ///< RA
  bool reserved = false;             ///< Z
  bool authentic_data = false;       ///< AD
  bool checking_disabled = false;    ///< CD
  Rcode rcode = Rcode::noerror;
  friend bool operator==(const Header&, const Header&) = default;
};

struct Question {
  Name name;
  Type type = Type::a;
  std::uint16_t klass = class_in;
  friend bool operator==(const Question&, const Question&) = default;
};

struct Ipv4 {
  std::array<std::uint8_t, 4> bytes{};
  friend bool operator==(const Ipv4&, const Ipv4&) = default;
};
struct Ipv6 {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const Ipv6&, const Ipv6&) = default;
};
/// NS, CNAME, PTR.
struct Target {
  Name name;
  friend bool operator==(const Target&, const Target&) = default;
};
struct Mx {
  std::uint16_t preference = 0;
  Name exchange;
  friend bool operator==(const Mx&, const Mx&) = default;
};
/// RFC 2782.
struct Srv {
  std::uint16_t priority = 0, weight = 0, port = 0;
  Name target;
  friend bool operator==(const Srv&, const Srv&) = default;
};
/// Character strings of at most 255 bytes each.
struct Txt {
  std::vector<std::string> strings;
  friend bool operator==(const Txt&, const Txt&) = default;
};
struct Soa {
  Name primary, mailbox;
  std::uint32_t serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
  friend bool operator==(const Soa&, const Soa&) = default;
};
/// A type without a struct here: its bytes as they came.
struct Opaque {
  std::string bytes;
  friend bool operator==(const Opaque&, const Opaque&) = default;
};
using Data = std::variant<Ipv4, Ipv6, Target, Mx, Srv, Txt, Soa, Opaque>;

struct Record {
  Name name;
  Type type = Type::a;  ///< agrees with the alternative held by `data`
  std::uint16_t klass = class_in;
  std::uint32_t ttl = 0;  ///< seconds
  Data data;
  friend bool operator==(const Record&, const Record&) = default;
};

/// The OPT pseudo-record. It stands for itself here and is not among `additional`.
struct Edns {
  std::uint16_t udp_bytes = 512;  ///< what the sender can receive over UDP
  std::uint8_t extended_rcode = 0;
  std::uint8_t version = 0;
  std::uint16_t flags = 0;  ///< DO is the top bit
  std::string options;      ///< code, length and value of each, as on the wire
  friend bool operator==(const Edns&, const Edns&) = default;
};

struct Message {
  Header header;
  std::vector<Question> questions;
  std::vector<Record> answers, authority, additional;
  std::optional<Edns> edns;
  friend bool operator==(const Message&, const Message&) = default;
};

/// "web.service.consul. 0 IN A 10.0.0.1", as dig prints it.
std::string to_text(const Record& record);
/// The header line and the sections, one record a line, in dig's short way:
///     ;; NOERROR, flags: qr aa rd
///     ;; QUESTION / ;; ANSWER / ;; AUTHORITY / ;; ADDITIONAL
std::string to_text(const Message& message);

}  // namespace devstack::dns
