// What a transcript says about the request it answers.
#include <simdjson.h>

#include <algorithm>

#include "wire/player/player.hpp"

namespace byway::wire_player {
namespace {

namespace dom = simdjson::dom;

std::string fault_of(const RequestCheck& check, const SeenRequest& request,
                     const simdjson::simdjson_result<dom::element>& body) {
  using Kind = RequestCheck::Kind;
  const std::string_view header = request.header(check.name);
  if (check.kind == Kind::header && header != check.value) {
    return "header " + check.name + " is '" + std::string(header) + "', not '" + check.value + "'";
  }
  if (check.kind == Kind::no_header && !header.empty()) return "there is a header " + check.name;
  if (check.kind != Kind::json_has && check.kind != Kind::json_lacks) return {};
  auto found = body.at_pointer(check.name);
  if (check.kind == Kind::json_lacks) {
    return found.error() == simdjson::SUCCESS ? "the body has " + check.name : std::string();
  }
  if (found.error() != simdjson::SUCCESS) return "the body lacks " + check.name;
  const std::string text = simdjson::minify(found.value_unsafe());
  return text == check.value ? std::string() : check.name + " is " + text + ", not " + check.value;
}

}  // namespace

std::vector<std::string> check_request(const Exchange& exchange, const SeenRequest& request,
                                       std::string_view path) {
  std::vector<std::string> faults;
  if (!exchange.method.empty() && exchange.method != request.method) {
    faults.push_back("method is " + request.method + ", not " + exchange.method);
  }
  if (!exchange.path.empty() && exchange.path != path) {
    faults.push_back("path is " + std::string(path) + ", not " + exchange.path);
  }
  dom::parser parser;
  const auto body = parser.parse(request.body);
  if (!request.body.empty() && body.error() != simdjson::SUCCESS) {
    faults.emplace_back("the body is not JSON");
  }
  for (const RequestCheck& check : exchange.checks) {
    std::string fault = fault_of(check, request, body);
    if (!fault.empty()) faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace byway::wire_player
