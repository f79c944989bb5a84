// byway endpoint: the group.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace byway::cli {

void add_endpoint(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("endpoint", "Register, look at and change endpoints");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  byway endpoint add my-vllm --url http://localhost:8000/v1 --key-env VLLM_KEY\n"
      "  byway endpoint test my-vllm\n"
      "  byway endpoint set my-vllm default_model=my-model timeouts.total_ms=60000\n"
      "  byway endpoint rotate my-vllm --key-stdin < new-key.txt");
  add_endpoint_add(*command, globals);
  add_endpoint_list(*command, globals);
  add_endpoint_show(*command, globals);
  add_endpoint_test(*command, globals);
  add_endpoint_change(*command, globals);
  add_endpoint_file(*command, globals);
}

}  // namespace byway::cli
