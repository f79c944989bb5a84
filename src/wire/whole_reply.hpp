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

}  // namespace byway::wire
