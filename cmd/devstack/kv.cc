#include <fmt/format.h>

#include <boost/json.hpp>

#include "cmd/devstack/argument_data.h"
#include "cmd/devstack/blocking.h"
#include "cmd/devstack/command.h"
#include "cmd/devstack/consul_client.h"
#include "cmd/devstack/consul_json.h"
#include "cmd/devstack/kv_entries.h"
#include "cmd/devstack/kv_requests.h"
#include "cmd/devstack/kv_transfer.h"
#include "cmd/devstack/kv_watch.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"

/// `devstack kv`: the KV store from the shell, with the flags, words and exit codes of `consul kv`.
namespace devstack {
namespace {

template <class Options>
struct Invocation {
  Options options;
  ConsulOptions consul;
  bool json = false;
};

tl::unexpected<Error> no_key(const std::string& key) {
  return fail(Errc::not_found, "Error! No key exists at: {}", key);
}

/// The list that Consul sent; for a single key its one element. Nothing there is an empty list.
Result<std::string> as_json(const KvGetOptions& options, const ConsulAnswer& answer) {
  if (answer.status == 404) return std::string("[]\n");
  if (options.recurse || options.keys) return api::pretty_json(answer.body);
  TRY(const auto entries, parse_kv_entries(answer.body));
  if (entries.empty()) return no_key(options.key);
  return api::pretty_json(entry_json(entries.front()));
}

std::string listing(const KvGetOptions& options, const std::vector<KvEntry>& entries) {
  const auto form = options.base64 ? ValueForm::base64 : ValueForm::bytes;
  std::string out;
  for (const auto& entry : entries) {
    if (options.detailed) {
      out += (out.empty() ? "" : "\n") + detailed_text(entry, form);
    } else {
      out += entry.key + ":" + value_text(entry, form) + "\n";
    }
  }
  return out;
}

Result<std::string> as_text(const KvGetOptions& options, const ConsulAnswer& answer) {
  if (options.keys) {
    std::string out;
    if (answer.status == 404) return out;
    TRY(const auto keys, parse_kv_keys(answer.body));
    for (const auto& key : keys) out += key + "\n";
    return out;
  }
  std::vector<KvEntry> entries;
  if (answer.status != 404) {
    TRY(entries, parse_kv_entries(answer.body));
  }
  if (options.recurse || (options.detailed && !entries.empty())) return listing(options, entries);
  if (entries.empty()) return no_key(options.key);
  std::string value = value_text(entries.front(), options.base64 ? ValueForm::base64 : ValueForm::bytes);
  // A newline would spoil a binary; a text without one spoils the prompt.
  if (!options.raw && is_text(value)) value += '\n';
  return value;
}

asio::awaitable<Result<void>> get(Invocation<KvGetOptions> what) {
  CO_TRY(auto request, get_request(what.options));
  CO_TRY(const auto client, co_await ConsulClient::find(what.consul));
  CO_TRY(const auto answer, co_await client.ask(std::move(request)));
  const bool single = !what.options.recurse && !what.options.keys;
  if (single && answer.status == 404) co_return no_key(what.options.key);
  CO_TRY(const auto text, what.json ? as_json(what.options, answer) : as_text(what.options, answer));
  co_return terminal::write(text);
}

/// What a change printed: Consul's sentence, or {"key": …, NAME: true}.
Result<void> say_done(bool json, std::string_view name, const std::string& key, const std::string& sentence) {
  if (!json) return terminal::write(sentence + "\n");
  api::JsonWriter out;
  out.open_object();
  out.field("key", key);
  out.field(name, true);
  out.close_object();
  return terminal::write(out.take() + "\n");
}

asio::awaitable<Result<void>> put(Invocation<KvPutOptions> what) {
  const KvPutOptions& options = what.options;
  CO_TRY(auto value, argument_data(options.data.value_or("")));
  CO_TRY(auto request, put_request(options, std::move(value)));
  CO_TRY(const auto client, co_await ConsulClient::find(what.consul));
  CO_TRY(const auto answer, co_await client.ask(std::move(request)));
  if (answer.status != 200) co_return fail(Errc::failed, "Error! Did not write to {}: {}", options.key, answer.body);
  if (answer.body != "true" && !answer.body.starts_with("true\n")) {
    if (options.acquire) co_return fail(Errc::conflict, "Error! Did not acquire lock");
    if (options.release) co_return fail(Errc::conflict, "Error! Did not release lock");
    co_return fail(Errc::conflict, "Error! Did not write to {}: CAS failed", options.key);
  }
  const auto sentence = options.acquire   ? "Success! Lock acquired on: " + options.key
                        : options.release ? "Success! Lock released on: " + options.key
                                          : "Success! Data written to: " + options.key;
  co_return say_done(what.json, "written", options.key, sentence);
}

asio::awaitable<Result<void>> remove(Invocation<KvDeleteOptions> what) {
  const std::string key = without_leading_slash(what.options.key);
  CO_TRY(auto request, delete_request(what.options));
  CO_TRY(const auto client, co_await ConsulClient::find(what.consul));
  CO_TRY(const auto answer, co_await client.ask(std::move(request)));
  if (!answer.body.starts_with("true")) {
    co_return fail(Errc::conflict, "Error! Did not delete key {}: CAS failed", key);
  }
  const auto sentence =
      what.options.recurse ? "Success! Deleted keys with prefix: " + key : "Success! Deleted key: " + key;
  co_return say_done(what.json, "deleted", key, sentence);
}

struct KvListOptions {
  std::string prefix;
  std::string separator = "/";
  bool recurse = false;
};

asio::awaitable<Result<std::vector<std::string>>> keys_at(ConsulClient client, std::string target) {
  http::Request request;
  request.target = std::move(target);
  CO_TRY(const auto answer, co_await client.ask(std::move(request)));
  if (answer.status == 404) co_return std::vector<std::string>();
  co_return parse_kv_keys(answer.body);
}

asio::awaitable<Result<void>> list(Invocation<KvListOptions> what) {
  const std::string prefix = without_leading_slash(what.options.prefix);
  const std::string separator = what.options.recurse ? "" : what.options.separator;
  CO_TRY(const auto client, co_await ConsulClient::find(what.consul));
  CO_TRY(auto keys, co_await keys_at(client, kv_keys_target(prefix, separator)));
  // "ls app" means what is in app/, as it does for folders.
  if (!prefix.empty() && !separator.empty() && keys.size() == 1 && keys.front() == prefix + separator) {
    CO_TRY(keys, co_await keys_at(client, kv_keys_target(prefix + separator, separator)));
  }
  if (keys.empty() && !prefix.empty()) co_return no_key(prefix);
  if (what.json) {
    api::JsonWriter out;
    out.strings(keys);
    co_return terminal::write(api::pretty_json(out.take()));
  }
  std::string text;
  for (const auto& key : keys) text += key + "\n";
  co_return terminal::write(text);
}

template <class Options>
using Action = asio::awaitable<Result<void>> (*)(Invocation<Options>);

/// A subcommand that runs one coroutine; returns it with its options, which live as long as the command line.
template <class Options>
std::pair<CLI::App*, Options*> add_action(CommandLine line, CLI::App& kv, const char* name, const char* help,
                                          Action<Options> action) {
  auto invocation = std::make_shared<Invocation<Options>>();
  auto* command = kv.add_subcommand(name, help);
  add_consul_options(*command, invocation->consul);
  command->callback([line, invocation, action] {
    line.chosen = [&globals = line.globals, invocation, action] {
      invocation->json = globals.json;
      const auto done = run_blocking(action(*invocation));
      return done ? 0 : report(done.error());
    };
  });
  return {command, &invocation->options};
}

void add_get(CommandLine line, CLI::App& kv) {
  const auto [command, options] = add_action<KvGetOptions>(line, kv, "get", "the value of a key", get);
  command->add_option("KEY", options->key, "key, or prefix with --recurse or --keys");
  command->add_flag("--recurse", options->recurse, "every key with this prefix, as key:value");
  command->add_flag("--keys", options->keys, "only the keys with this prefix");
  command->add_option("--separator", options->separator, "with --keys: shorten keys after the next one (default /)");
  command->add_flag("--detailed", options->detailed, "indexes, flags and session too");
  command->add_flag("--base64", options->base64, "print values in base64");
  command->add_flag("--raw", options->raw, "the value's bytes and nothing after them");
  command->footer("A value is followed by a newline unless it is binary. Exit code 1 where there is no such key.");
}

void add_put(CommandLine line, CLI::App& kv) {
  const auto [command, options] = add_action<KvPutOptions>(line, kv, "put", "write a key", put);
  command->add_option("KEY", options->key)->required();
  command->add_option("DATA", options->data, "text, @FILE, or - for standard input (default: nothing)");
  command->add_flag("--base64", options->base64, "DATA is base64");
  command->add_option("--flags", options->flags, "a number kept with the value (default 0)");
  command->add_flag("--cas", options->cas, "write only if the key's ModifyIndex is still --modify-index");
  command->add_option("--modify-index", options->modify_index, "with --cas; 0: only if there is no such key");
  command->add_flag("--acquire", options->acquire, "write and lock the key for --session");
  command->add_flag("--release", options->release, "write and unlock the key of --session");
  command->add_option("--session", options->session, "a session's id");
  command->footer("Exit code 1 when --cas, --acquire or --release finds the key changed or held.");
}

void add_delete(CommandLine line, CLI::App& kv) {
  const auto [command, options] = add_action<KvDeleteOptions>(line, kv, "delete", "remove a key or a prefix", remove);
  command->add_option("KEY", options->key, "key, or prefix with --recurse");
  command->add_flag("--recurse", options->recurse, "every key with this prefix; without KEY every key there is");
  command->add_flag("--cas", options->cas, "only if the key's ModifyIndex is still --modify-index");
  command->add_option("--modify-index", options->modify_index, "with --cas");
}

void add_list(CommandLine line, CLI::App& kv) {
  const auto [command, options] = add_action<KvListOptions>(line, kv, "ls", "keys and folders at a prefix", list);
  command->add_option("PREFIX", options->prefix, "default: the root");
  command->add_option("--separator", options->separator, "what ends a folder's name (default /)");
  command->add_flag("--recurse", options->recurse, "every key below, not only the next level");
}

}  // namespace

void add_kv(CommandLine line) {
  auto* kv = line.cli.add_subcommand("kv", "the KV store of a registry, ours or any Consul's");
  kv->require_subcommand(1);
  add_get(line, *kv);
  add_put(line, *kv);
  add_delete(line, *kv);
  add_list(line, *kv);
  add_kv_watch(line, *kv);
  add_kv_export(line, *kv);
  add_kv_import(line, *kv);
}

}  // namespace devstack
