#include "core/stack/yaml.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "core/base/ascii.h"

namespace devstack::stack {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;
constexpr std::size_t kMaxNodes = 100'000;
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxDocuments = 64;

/// yaml-cpp counts from 0 and marks "nowhere" with -1.
SourcePos position(std::string_view file, const YAML::Mark& mark) {
  if (mark.is_null()) return {std::string(file), 0, 0};
  return {std::string(file), mark.line + 1, mark.column + 1};
}

struct TooBig {
  std::string what;
  SourcePos at;
};

/// Where documents begin, and of what is in them what cannot be asked of it once it is read. yaml-cpp's LoadAll never
/// ends, nor does its memory, where what is left over belongs to no document (", a: 1").
class Documents final : public YAML::EventHandler {
 public:
  explicit Documents(const std::string& text) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (begins.size() <= kMaxDocuments && parser.HandleNextDocument(*this)) {
    }
  }
  std::vector<YAML::Mark> begins;         ///< one more than the most at most
  std::optional<YAML::Mark> quoted_last;  ///< where the last value of all begins, if it is in quotes
  std::optional<YAML::Mark> endless;      ///< the first alias of something that it is a part of

  void OnDocumentStart(const YAML::Mark& mark) override { begins.push_back(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!endless && std::find(open_.begin(), open_.end(), anchor) != open_.end()) endless = mark;
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string&) override {
    quoted_last.reset();
    if (tag == "!") quoted_last = mark;
  }
  using Style = YAML::EmitterStyle::value;
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, Style) override {
    open_.push_back(anchor);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, Style) override {
    open_.push_back(anchor);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  std::vector<YAML::anchor_t> open_;  // of the lists and maps around; 0: without one
};

/// yaml-cpp takes the end of a text for the end of a quoted value, if a line ends there too.
bool ends_in_quotes(const std::string& text) {
  try {
    const Documents one_more(text + "#");  // a comment, unless it is still part of the value
    return false;
  } catch (const YAML::Exception&) {
    return true;
  }
}

std::string_view line_at(std::string_view text, int line) {
  for (; line > 0 && !text.empty(); --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

/// A document but the first begins with `---`; what does not belongs to none.
Result<void> check_begins(const Documents& documents, std::string_view text, std::string_view file) {
  const auto& begins = documents.begins;
  for (std::size_t at = 1; at < begins.size(); ++at) {
    if (line_at(text, begins[at].line).starts_with("---")) continue;
    return fail_at(position(file, begins[at]), Errc::stack_file, "YAML syntax: this belongs to nothing before it");
  }
  if (begins.size() <= kMaxDocuments) return {};
  return fail_at(position(file, begins.back()), Errc::stack_file, "more than {} documents", kMaxDocuments);
}

class Converter {
 public:
  Converter(std::string_view file, Diagnostics& report) : file_(file), report_(report) {}

  Node convert(const YAML::Node& from, std::string path, SourcePos fallback, int depth) {
    SourcePos at = position(file_, from.Mark());
    if (at.line == 0) at = std::move(fallback);
    if (depth > kMaxDepth) throw TooBig{fmt::format("nested deeper than {} levels", kMaxDepth), at};
    if (++count_ > kMaxNodes) throw TooBig{fmt::format("more than {} values", kMaxNodes), at};
    Node node;
    node.at = std::move(at);
    node.path = std::move(path);
    node.tag = tag_of(from);
    switch (from.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        break;
      case YAML::NodeType::Scalar:
        node.kind = Node::Kind::scalar;
        node.text = from.Scalar();
        node.quoted = from.Tag() == "!";
        break;
      case YAML::NodeType::Sequence:
        list(from, node, depth);
        break;
      case YAML::NodeType::Map:
        map(from, node, depth);
        break;
    }
    return node;
  }

 private:
  static Node::Tag tag_of(const YAML::Node& from) {
    if (from.Tag() == "!reset") return Node::Tag::reset;
    return from.Tag() == "!override" ? Node::Tag::replace : Node::Tag::none;
  }

  void list(const YAML::Node& from, Node& node, int depth) {
    node.kind = Node::Kind::list;
    for (const auto& item : from) {
      node.items.push_back(convert(item, fmt::format("{}[{}]", node.path, node.items.size()), node.at, depth + 1));
    }
  }

  void map(const YAML::Node& from, Node& node, int depth) {
    node.kind = Node::Kind::map;
    std::vector<Node> merged;
    std::unordered_set<std::string_view> seen;
    for (const auto& pair : from) {
      const SourcePos at = position(file_, pair.first.Mark());
      if (!pair.first.IsScalar()) {
        report_.error(at, "{}a key must be a plain word", node.prefix());
        continue;
      }
      const std::string& key = pair.first.Scalar();
      if (key == "<<" && pair.first.Tag() != "!") {
        merged.push_back(convert(pair.second, node.path, at, depth + 1));
        continue;
      }
      if (!seen.insert(key).second) {
        report_.error(at, "{}duplicate key \"{}\"", node.prefix(), key);
        continue;
      }
      node.entries.push_back({key, at, convert(pair.second, join(node.path, key), at, depth + 1)});
    }
    for (auto& source : merged) merge(node, source);
  }

  /// Keys that stand in the map itself win; of several sources the earlier one does.
  void merge(Node& into, Node& source) {
    if (source.kind == Node::Kind::list) {
      for (auto& item : source.items) merge(into, item);
      return;
    }
    if (source.kind != Node::Kind::map) {
      report_.error(source.at, "{}expected a map to merge, found {}", into.prefix(), source.describe());
      return;
    }
    for (auto& entry : source.entries) {
      if (into.find(entry.key) == nullptr) into.entries.push_back(std::move(entry));
    }
  }

  static std::string join(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
  }

  std::string_view file_;
  Diagnostics& report_;
  std::size_t count_ = 0;
};

bool is_boolean(std::string_view text) {
  const auto lower = to_lower(text);
  return lower == "true" || lower == "false";
}

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// yaml-cpp has a different word for this in every place where it can happen.
std::optional<SourcePos> indented_by_tab(std::string_view text, std::string_view file) {
  for (int line = 1; !text.empty(); ++line) {
    const auto row = text.substr(0, text.find('\n'));
    const auto blanks = row.substr(0, std::min(row.find_first_not_of(" \t"), row.size()));
    const auto tab = blanks.find('\t');
    if (tab != std::string_view::npos) return SourcePos{std::string(file), line, static_cast<int>(tab) + 1};
    text.remove_prefix(std::min(row.size() + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& one) { return one.key == key; });
  return entry == entries.end() ? nullptr : &entry->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

std::optional<Node> Node::take(std::string_view key) {
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& one) { return one.key == key; });
  if (entry == entries.end()) return std::nullopt;
  std::optional<Node> value = std::move(entry->value);
  entries.erase(entry);
  return value;
}

std::size_t Node::size() const {
  std::size_t count = 1;
  for (const auto& item : items) count += item.size();
  for (const auto& entry : entries) count += entry.value.size();
  return count;
}

std::string_view Node::describe() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::scalar:
      break;
  }
  if (quoted) return "a string";
  if (is_boolean(text)) return "a boolean";
  return is_number(text) ? "a number" : "a string";
}

Result<std::vector<Node>> read_documents(std::string_view text, std::string_view file, Diagnostics& report) {
  SourcePos start{std::string(file), 1, 1};
  if (text.size() > kMaxBytes) return fail_at(start, Errc::stack_file, "the file is larger than 1 MiB");
  if (text.find('\0') != std::string_view::npos) return fail_at(start, Errc::stack_file, "this is not a text file");
  try {
    const std::string copy(text);
    const Documents documents(copy);
    if (documents.quoted_last && ends_in_quotes(copy)) {
      return fail_at(position(file, *documents.quoted_last), Errc::stack_file, "YAML syntax: this quote is not closed");
    }
    CHECK(check_begins(documents, copy, file));
    if (documents.endless) {
      return fail_at(position(file, *documents.endless), Errc::stack_file,
                     "YAML syntax: this alias is part of what it stands for");
    }
    std::vector<Node> read;
    Converter converter(file, report);
    for (const auto& document : documents.begins.empty() ? std::vector<YAML::Node>() : YAML::LoadAll(copy)) {
      const SourcePos begin = position(file, documents.begins[std::min(read.size(), documents.begins.size() - 1)]);
      read.push_back(converter.convert(document, "", read.empty() ? start : begin, 0));
    }
    if (read.empty()) read.emplace_back().at = start;
    return read;
  } catch (const YAML::DeepRecursion& error) {
    return fail_at(position(file, error.mark), Errc::stack_file, "nested deeper than {} levels", kMaxDepth);
  } catch (const YAML::Exception& error) {
    if (const auto tab = indented_by_tab(text, file)) {
      return fail_at(*tab, Errc::stack_file, "YAML syntax: a line is indented by a tab: use spaces");
    }
    return fail_at(position(file, error.mark), Errc::stack_file, "YAML syntax: {}", error.msg);
  } catch (const TooBig& problem) {
    return fail_at(problem.at, Errc::stack_file, "{}", problem.what);
  }
}

Result<Node> read_yaml(std::string_view text, std::string_view file, Diagnostics& report) {
  TRY(auto documents, read_documents(text, file, report));
  if (documents.size() == 1) return std::move(documents.front());
  return fail_at(documents[1].at, Errc::stack_file, "a second document: one is all that may be here");
}

}  // namespace devstack::stack
