#include "core/dns/message.h"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <utility>

namespace devstack::dns {
namespace {

constexpr std::pair<Type, std::string_view> type_names[] = {
    {Type::a, "A"},   {Type::ns, "NS"},     {Type::cname, "CNAME"}, {Type::soa, "SOA"}, {Type::ptr, "PTR"},
    {Type::mx, "MX"}, {Type::txt, "TXT"},   {Type::aaaa, "AAAA"},   {Type::srv, "SRV"}, {Type::opt, "OPT"},
    {Type::ds, "DS"}, {Type::axfr, "AXFR"}, {Type::any, "ANY"},
};

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < ' ' || byte >= 127) {
      out += fmt::format("\\{:03}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

struct DataText {
  std::string operator()(const Ipv4& v) const { return boost::asio::ip::address_v4(v.bytes).to_string(); }
  std::string operator()(const Ipv6& v) const { return boost::asio::ip::address_v6(v.bytes).to_string(); }
  std::string operator()(const Target& v) const { return v.name.to_text(); }
  std::string operator()(const Mx& v) const { return fmt::format("{} {}", v.preference, v.exchange.to_text()); }
  std::string operator()(const Srv& v) const {
    return fmt::format("{} {} {} {}", v.priority, v.weight, v.port, v.target.to_text());
  }
  std::string operator()(const Txt& v) const {
    std::string out;
    for (const auto& string : v.strings) out += (out.empty() ? "" : " ") + quoted_string(string);
    return out;
  }
  std::string operator()(const Soa& v) const {
    return fmt::format("{} {} {} {} {} {} {}", v.primary.to_text(), v.mailbox.to_text(), v.serial, v.refresh, v.retry,
                       v.expire, v.minimum);
  }
  std::string operator()(const Opaque& v) const {
    std::string out = fmt::format("\\# {}", v.bytes.size());
    if (!v.bytes.empty()) out += ' ';
    for (const char c : v.bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
  }
};

std::string class_text(std::uint16_t klass) { return klass == class_in ? "IN" : fmt::format("CLASS{}", klass); }

void append_section(std::string& out, std::string_view title, const std::vector<Record>& records) {
  if (records.empty()) return;
  out += fmt::format(";; {}\n", title);
  for (const auto& record : records) out += to_text(record) + '\n';
}

}  // namespace

std::string to_text(Type type) {
  for (const auto& [value, text] : type_names) {
    if (value == type) return std::string(text);
  }
  return fmt::format("TYPE{}", static_cast<unsigned>(type));
}

Result<Type> parse_type(std::string_view text) {
  for (const auto& [value, name] : type_names) {
    if (equal_ignoring_case(name, text)) return value;
  }
  std::uint16_t number = 0;
  if (text.size() > 4 && equal_ignoring_case(text.substr(0, 4), "TYPE")) {
    const auto [end, error] = std::from_chars(text.data() + 4, text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return static_cast<Type>(number);
  }
  return fail(Errc::invalid_argument, "\"{}\" is no DNS record type: try A, AAAA, SRV, TXT, PTR, NS, SOA or ANY", text);
}

std::string to_text(Rcode rcode) {
  switch (rcode) {
    case Rcode::noerror:
      return "NOERROR";
    case Rcode::formerr:
      return "FORMERR";
    case Rcode::servfail:
      return "SERVFAIL";
    case Rcode::nxdomain:
      return "NXDOMAIN";
    case Rcode::notimp:
      return "NOTIMP";
    case Rcode::refused:
      return "REFUSED";
  }
  return fmt::format("RCODE{}", static_cast<unsigned>(rcode));
}

std::string to_text(const Record& record) {
  return fmt::format("{} {} {} {} {}", record.name.to_text(), record.ttl, class_text(record.klass),
                     to_text(record.type), std::visit(DataText{}, record.data));
}

std::string to_text(const Message& message) {
  const Header& header = message.header;
  std::string out = fmt::format(";; {}, flags:", to_text(header.rcode));
  if (header.response) out += " qr";
  if (header.authoritative) out += " aa";
  if (header.truncated) out += " tc";
  if (header.recursion_desired) out += " rd";
  if (header.recursion_available) out += " ra";
  out += '\n';
  if (!message.questions.empty()) out += ";; QUESTION\n";
  for (const auto& question : message.questions) {
    out += fmt::format(";{} {} {}\n", question.name.to_text(), class_text(question.klass), to_text(question.type));
  }
  append_section(out, "ANSWER", message.answers);
  append_section(out, "AUTHORITY", message.authority);
  append_section(out, "ADDITIONAL", message.additional);
  return out;
}

}  // namespace devstack::dns
