// Reads a whole (not streamed) reply.
#pragma once

#include <string>
#include <string_view>

#include <byway/request.hpp>
#include <byway/response.hpp>

namespace byway::wire {

/// Reads `body` into `reply`, which is empty before. A body that judge_whole() accepted is read
/// without loss; of any other, what can be read. Unknown fields are passed over.
void read_whole_reply(Operation operation, std::string_view body, Reply& reply);

/// OpenAI's word for a server's finish reason: "eos_token" and "eos" are "stop", "max_tokens" is
/// "length"; its own word where there is none.
std::string_view finish_word(std::string_view raw) noexcept;

}  // namespace byway::wire
