#include <byway/response.hpp>

#include <utility>

#include "router/response_state.hpp"
#include "wire/whole_reply.hpp"

namespace byway {

Response::Response(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;
Response::~Response() = default;

Response Response::of(std::string body) {
  auto state = std::make_unique<State>();
  state->body = std::move(body);
  return Response(std::move(state));
}

std::string_view Response::body() const noexcept {
  return state_->body;
}

const Reply& Response::reply() const {
  if (!state_->is_read) {
    state_->is_read = true;
    wire::read_whole_reply(state_->operation, state_->body, state_->reply);
  }
  return state_->reply;
}

namespace {

const Choice& first_choice(const Reply& reply) {
  static const Choice none;
  for (const Choice& choice : reply.choices) {
    if (choice.index == 0) return choice;
  }
  return reply.choices.empty() ? none : reply.choices.front();
}

}  // namespace

std::string_view Response::text() const {
  return first_choice(reply()).text;
}
std::string_view Response::reasoning() const {
  return first_choice(reply()).reasoning;
}
const std::vector<ToolCall>& Response::tool_calls() const {
  return first_choice(reply()).tools;
}
std::string_view Response::finish_reason() const {
  return first_choice(reply()).finish;
}
const Usage* Response::usage() const {
  return reply().has_usage ? &reply().usage : nullptr;
}
const std::vector<std::vector<float>>& Response::embeddings() const {
  return reply().embeddings;
}
const std::vector<Item>& Response::items() const {
  return reply().items;
}

const Metadata& Response::metadata() const {
  Metadata& metadata = state_->metadata;
  if (metadata.model_served.empty()) metadata.model_served = reply().model_served;
  return metadata;
}

std::string_view Response::header(std::string_view name) const noexcept {
  return state_->head.value(name);
}

}  // namespace byway
