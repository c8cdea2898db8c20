#include "cmd/devstack/go_flags.h"

namespace devstack {
namespace {

bool looks_like_negative_number(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
}

/// Whether the next word is the flag's value: "-e" and "-Te", not "-eA=b" or "--env=A=b".
bool takes_next_word(const CLI::App& command, const std::string& word) {
  const auto option_of = [&](const std::string& name) -> const CLI::Option* {
    for (const auto* app = &command; app != nullptr; app = app->get_parent()) {
      if (const auto* option = app->get_option_no_throw(name)) return option;
    }
    return nullptr;
  };
  if (word.starts_with("--")) {
    const auto* option = word.find('=') == std::string::npos ? option_of(word) : nullptr;
    return option != nullptr && option->get_items_expected_max() > 0;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const auto* option = option_of(std::string("-") + word[i]);
    if (option == nullptr) return false;
    if (option->get_items_expected_max() > 0) return i + 1 == word.size();
  }
  return false;
}

}  // namespace

std::vector<std::string> with_command_apart(std::vector<std::string> arguments, std::size_t place,
                                            const CLI::App& command) {
  for (std::size_t i = place + 1; i < arguments.size(); ++i) {
    const auto& word = arguments[i];
    if (word == "--") return arguments;
    if (word.size() > 1 && word[0] == '-') {
      if (takes_next_word(command, word)) ++i;
      continue;
    }
    if (i + 1 < arguments.size() && arguments[i + 1] != "--") {
      arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, "--");
    }
    return arguments;
  }
  return arguments;
}

std::set<std::string> long_flags_here(const CLI::App& command) {
  std::set<std::string> out;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) out.insert(name);
  }
  return out;
}

std::set<std::string> long_flags(const CLI::App& command) {
  std::set<std::string> out = long_flags_here(command);
  for (const auto* below : command.get_subcommands([](const CLI::App*) { return true; })) out.merge(long_flags(*below));
  return out;
}

std::vector<std::string> with_two_dashes(const std::vector<std::string>& arguments,
                                         const std::set<std::string>& known) {
  std::vector<std::string> out;
  bool only_data = false;
  for (const auto& word : arguments) {
    only_data = only_data || word == "--";
    if (!only_data && looks_like_negative_number(word)) {
      out.emplace_back("--");
      only_data = true;
    }
    const bool one_dash = !only_data && word.size() > 2 && word[0] == '-' && word[1] != '-';
    out.push_back(one_dash && known.contains(word.substr(1, word.find('=') - 1)) ? "-" + word : word);
  }
  return out;
}

}  // namespace devstack
