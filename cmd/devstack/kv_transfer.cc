#include "cmd/devstack/kv_transfer.h"

#include "cmd/devstack/argument_data.h"
#include "cmd/devstack/blocking.h"
#include "cmd/devstack/consul_client.h"
#include "cmd/devstack/kv_entries.h"
#include "cmd/devstack/kv_import.h"
#include "cmd/devstack/kv_requests.h"
#include "cmd/devstack/terminal.h"
#include "core/api/json_writer.h"

namespace devstack {
namespace {

struct ExportOptions {
  std::string prefix;
  ConsulOptions consul;
};

struct ImportOptions {
  std::string data;
  std::string prefix;
  bool json = false;
  ConsulOptions consul;
};

asio::awaitable<Result<void>> export_tree(ExportOptions options) {
  CO_TRY(const auto client, co_await ConsulClient::find(options.consul));
  http::Request request;
  request.target = kv_tree_target(without_leading_slash(options.prefix));
  CO_TRY(const auto answer, co_await client.ask(std::move(request)));
  std::vector<KvEntry> entries;
  if (answer.status != 404) {
    CO_TRY(entries, parse_kv_entries(answer.body));
  }
  co_return terminal::write(export_text(entries));
}

/// Literal JSON, "@FILE", "-", or a file's name: no JSON of an export begins like one.
Result<std::string> import_data(const std::string& argument) {
  const auto first = argument.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(Errc::usage, "DATA is empty: give a file, - or JSON");
  const char start = argument[first];
  const bool literal = start == '[' || start == '{' || argument == "null";
  return literal || start == '@' || argument == "-" ? argument_data(argument) : file_data(argument);
}

/// Whether a batch was written; the error says why it was not.
Result<void> outcome(const Result<ConsulAnswer>& answer, const std::vector<KvEntry>& entries, std::size_t first) {
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status == 200 && !answer->body.starts_with("false")) return {};
  return fail(Errc::failed, "{}", import_failure(answer->body, entries, first));
}

std::string written_json(const std::vector<KvEntry>& entries, std::size_t written) {
  api::JsonWriter out;
  out.open_object();
  out.field("imported", std::uint64_t{written});
  out.field("of", std::uint64_t{entries.size()});
  out.close_object();
  return out.take() + "\n";
}

tl::unexpected<Error> stopped(const std::vector<KvEntry>& entries, ImportBatch batch, Error error) {
  const auto last = batch.first + batch.count;
  // A connection that broke after the request went out may have been too late to stop it.
  const bool unsure = error.code == Errc::timeout || error.code == Errc::io;
  return fail(error.code, "Error! {}; {}{}", error.message,
              batch.first == 0 ? std::string("nothing was imported")
                               : fmt::format("entries 1 to {} of {} were imported, nothing after \"{}\"", batch.first,
                                             entries.size(), entries[batch.first - 1].key),
              unsure ? fmt::format(", unless entries {} to {} arrived all the same", batch.first + 1, last) : "");
}

asio::awaitable<Result<void>> import_tree(ImportOptions options) {
  CO_TRY(const auto text, import_data(options.data));
  CO_TRY(const auto entries, parse_import(text, options.prefix));
  CO_TRY(const auto client, co_await ConsulClient::find(options.consul));
  for (const auto& batch : import_batches(entries)) {
    auto request = import_request(std::span<const KvEntry>(entries).subspan(batch.first, batch.count));
    const auto answer = co_await client.ask(std::move(request));
    auto written = outcome(answer, entries, batch.first);
    if (!written) {
      if (options.json) (void)terminal::write(written_json(entries, batch.first));
      co_return stopped(entries, batch, std::move(written).error());
    }
    if (options.json) continue;
    std::string lines;
    for (std::size_t i = batch.first; i < batch.first + batch.count; ++i) lines += "Imported: " + entries[i].key + "\n";
    CO_CHECK(terminal::write(lines));
  }
  if (options.json) co_return terminal::write(written_json(entries, entries.size()));
  co_return Result<void>();
}

}  // namespace

void add_kv_export(CommandLine line, CLI::App& kv) {
  auto options = std::make_shared<ExportOptions>();
  auto* command = kv.add_subcommand("export", "a tree as JSON, as `consul kv export` prints it");
  command->add_option("PREFIX", options->prefix, "default: everything");
  add_consul_options(*command, options->consul);
  command->callback([line, options] {
    line.chosen = [options] {
      const auto done = run_blocking(export_tree(*options));
      return done ? 0 : report(done.error());
    };
  });
}

void add_kv_import(CommandLine line, CLI::App& kv) {
  auto options = std::make_shared<ImportOptions>();
  auto* command = kv.add_subcommand("import", "write what `kv export` printed");
  command->add_option("DATA", options->data, "FILE or @FILE, - for standard input, or the JSON itself")->required();
  command->add_option("--prefix", options->prefix, "put everything below this");
  command->footer(
      "64 entries at a time are written, all of them or none; when some fail, what was written before is said.");
  add_consul_options(*command, options->consul);
  command->callback([line, options] {
    line.chosen = [&globals = line.globals, options] {
      options->json = globals.json;
      const auto done = run_blocking(import_tree(*options));
      return done ? 0 : report(done.error());
    };
  });
}

}  // namespace devstack
