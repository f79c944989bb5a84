// The commands: each adds itself to the parser and leaves its exit code in the global options.
#pragma once

namespace CLI {
class App;
}

namespace byway::cli {

struct GlobalOptions;

void add_init(CLI::App& app, GlobalOptions& globals);
void add_endpoint(CLI::App& app, GlobalOptions& globals);
void add_chat(CLI::App& app, GlobalOptions& globals);
void add_call(CLI::App& app, GlobalOptions& globals);
void add_explain(CLI::App& app, GlobalOptions& globals);
void add_vault(CLI::App& app, GlobalOptions& globals);
void add_key(CLI::App& app, GlobalOptions& globals);
void add_org(CLI::App& app, GlobalOptions& globals);
void add_alias(CLI::App& app, GlobalOptions& globals);
void add_usage(CLI::App& app, GlobalOptions& globals);
void add_audit(CLI::App& app, GlobalOptions& globals);

// The parts of `endpoint`, each in a file of its own.
void add_endpoint_add(CLI::App& endpoint, GlobalOptions& globals);
void add_endpoint_list(CLI::App& endpoint, GlobalOptions& globals);
void add_endpoint_show(CLI::App& endpoint, GlobalOptions& globals);
void add_endpoint_test(CLI::App& endpoint, GlobalOptions& globals);
void add_endpoint_change(CLI::App& endpoint, GlobalOptions& globals);
void add_endpoint_file(CLI::App& endpoint, GlobalOptions& globals);

// The parts of `key`.
void add_key_mint(CLI::App& key, GlobalOptions& globals);
void add_key_change(CLI::App& key, GlobalOptions& globals);

}  // namespace byway::cli
