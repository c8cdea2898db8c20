#include "core/dns/fixed_records.h"

#include "core/dns/lookup.h"

namespace devstack::dns {
namespace {

Result<std::vector<Data>> fixed_answers(const std::string& name, const std::vector<std::string>& values) {
  std::vector<Data> out;
  bool alias = false;
  for (const auto& value : values) {
    if (auto address = parse_address(value)) {
      out.push_back(std::move(*address));
      continue;
    }
    auto target = Name::parse(value);
    if (!target) return fail(Errc::invalid_argument, "dns record {}: {}", name, target.error().message);
    out.emplace_back(Target{std::move(*target)});
    alias = true;
  }
  if (alias && out.size() > 1) {
    return fail(Errc::invalid_argument, "dns record {}: a name stands alone, without further names or addresses", name);
  }
  return out;
}

}  // namespace

Result<FixedRecords> fixed_records(const RecordTexts& texts) {
  FixedRecords out;
  for (const auto& [text, values] : texts) {
    const auto name = Name::parse(text);
    if (!name) return fail(Errc::invalid_argument, "dns record \"{}\": {}", text, name.error().message);
    TRY(auto answers, fixed_answers(text, values));
    out.insert_or_assign(std::string(name->lowered().wire()), std::move(answers));
  }
  return out;
}

Result<void> RecordBook::fits(const std::string& project, const FixedRecords& records) const {
  for (const auto& [other, theirs] : projects_) {
    if (other == project) continue;
    for (const auto& [wire, answers] : records) {
      if (!theirs.contains(wire)) continue;
      auto name = Name::from_valid_wire(wire).to_text();
      name.pop_back();
      return fail(Errc::conflict,
                  "dns.records: {} is answered for by project {}, which is up: take it out of one of them", name,
                  other);
    }
  }
  return {};
}

void RecordBook::set(const std::string& project, FixedRecords records) {
  const auto known = projects_.find(project);
  if (known == projects_.end() ? records.empty() : known->second == records) return;
  if (records.empty()) {
    projects_.erase(known);
  } else {
    projects_.insert_or_assign(project, std::move(records));
  }
  auto next = std::make_shared<Edition>();
  next->number = number() + 1;
  for (const auto& [name, one] : projects_) next->records.insert(one.begin(), one.end());
  const auto count = next->number;
  published_.store(std::move(next), std::memory_order_release);
  number_.store(count, std::memory_order_release);
}

}  // namespace devstack::dns
