// The words for the public enumerations.
#include <byway/customer_key.hpp>
#include <byway/request.hpp>

#include <array>

namespace byway {
namespace {

constexpr std::array<std::string_view, 6> operation_names = {
    "chat", "completions", "embeddings", "responses", "rerank", "models"};
constexpr std::array<std::string_view, 5> purpose_names = {"inference", "judge", "scorer",
                                                           "trace_eval", "probe"};

}  // namespace

std::string_view name_of(Operation operation) noexcept {
  const auto index = static_cast<std::size_t>(operation);
  return index < operation_names.size() ? operation_names[index] : std::string_view();
}

std::optional<Operation> operation_of(std::string_view name) noexcept {
  for (std::size_t index = 0; index < operation_names.size(); ++index) {
    if (operation_names[index] == name) return static_cast<Operation>(index);
  }
  return std::nullopt;
}

std::string_view name_of(Purpose purpose) noexcept {
  const auto index = static_cast<std::size_t>(purpose);
  return index < purpose_names.size() ? purpose_names[index] : std::string_view();
}

std::string_view name_of(KeyMode mode) noexcept {
  return mode == KeyMode::test ? "test" : "live";
}

std::string_view name_of(Role role) noexcept {
  switch (role) {
    case Role::admin: return "admin";
    case Role::editor: return "editor";
    case Role::viewer: return "viewer";
    case Role::caller: return "caller";
  }
  return "";
}

}  // namespace byway
