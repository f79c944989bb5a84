#include "wire/dialect_marks.hpp"

#include <algorithm>

namespace byway::wire {
namespace {

using enum MarkPlace;

// Addresses from the vendors' documentation (wire.md 1.1); owned_by and headers as the servers
// send them.
constexpr DialectMark marks[] = {
    {"azure_deployments", path_part, "", "/openai/deployments/"},
    {"azure_v1", host_end, "", ".openai.azure.com"},
    {"databricks", path_part, "", "/serving-endpoints"},
    {"mlflow", path_part, "", "/gateway/mlflow/"},
    {"vertex", host_end, "", "aiplatform.googleapis.com"},
    {"openai", host_end, "", "api.openai.com"},
    {"together", host_end, "", "api.together.xyz"},
    {"together", host_end, "", "api.together.ai"},
    {"fireworks", host_end, "", "api.fireworks.ai"},
    {"nebius", host_end, "", ".tokenfactory.nebius.com"},
    {"nebius", host_end, "", "api.studio.nebius.ai"},
    {"sambanova", host_end, "", "api.sambanova.ai"},
    {"openrouter", host_end, "", "openrouter.ai"},
    {"nim", host_end, "", "integrate.api.nvidia.com"},
    {"litellm", header, "x-litellm-version", ""},
    {"llamacpp", header, "server", "llama.cpp"},
    {"llamacpp", owned_by, "", "llamacpp"},
    {"vllm", owned_by, "", "vllm"},
    {"sglang", owned_by, "", "sglang"},
    {"ollama", owned_by, "", "library"},
    {"lmstudio", owned_by, "", "organization_owner"},
};

struct Place {
  std::string_view host;
  std::string_view path;
};

/// `url` has been checked: scheme, host, perhaps a port, perhaps a path and a query.
Place place_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('?'));
  const std::string_view host = url.substr(0, url.find_first_of(":/"));
  const std::size_t slash = url.find('/');
  return {host, slash == std::string_view::npos ? std::string_view() : url.substr(slash)};
}

bool fits(const DialectMark& mark, const Place& place, const ServerTraits& traits) {
  switch (mark.place) {
    case host_end: return place.host.ends_with(mark.text);
    case path_part: return place.path.find(mark.text) != std::string_view::npos;
    case owned_by:
      return std::find(traits.owned_by.begin(), traits.owned_by.end(), mark.text) !=
             traits.owned_by.end();
    case header: {
      if (!traits.header) return false;
      const auto value = traits.header(mark.name);
      return value && (mark.text.empty() || *value == mark.text);
    }
  }
  return false;
}

}  // namespace

std::span<const DialectMark> dialect_marks() noexcept {
  return marks;
}

const DialectMark* matching_mark(const ServerTraits& traits) {
  const Place place = place_of(traits.base_url);
  for (const DialectMark& mark : marks) {
    if (fits(mark, place, traits)) return &mark;
  }
  return nullptr;
}

std::string describe(const DialectMark& mark) {
  switch (mark.place) {
    case host_end: return "host " + std::string(mark.text);
    case path_part: return "path " + std::string(mark.text);
    case owned_by: return "owned_by " + std::string(mark.text);
    case header: break;
  }
  std::string text = "header " + std::string(mark.name);
  if (!mark.text.empty()) text.append(" ").append(mark.text);
  return text;
}

}  // namespace byway::wire
