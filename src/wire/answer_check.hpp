// Looks over a whole answer: is it what the operation promises?
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <byway/request.hpp>

namespace byway::wire {

enum class AnswerFault : std::uint8_t {
  none,
  not_json,
  /// It says that it is an error, at the top or in a choice.
  error,
  /// The key that the operation promises is missing or of a wrong kind.
  no_key,
  /// embeddings: rows missing, doubled or of unequal width.
  bad_rows,
};

struct AnswerCheck {
  AnswerFault fault = AnswerFault::none;
  /// For `error`: the JSON that holds the error; all of the body unless a choice has it.
  std::string_view error = {};
  /// The JSON of `model` and `usage` at the top, of the first reply where there are several; empty
  /// when absent.
  std::string_view model = {};
  std::string_view usage = {};
};

/// Reads all of `body` once and allocates nothing. `inputs`: how many embeddings were asked for, 0
/// when unknown. The keys of I2: `choices`, `data`, `results` or `rankings` or an array, `output`.
AnswerCheck check_answer(Operation operation, std::string_view body, std::size_t inputs);

}  // namespace byway::wire
