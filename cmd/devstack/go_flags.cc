#include "cmd/devstack/go_flags.h"

namespace devstack {
namespace {

bool looks_like_negative_number(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
}

}  // namespace

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
