#include "wire/answer_check.hpp"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <optional>

#include "wire/json_cursor.hpp"

namespace byway::wire {
namespace {

/// Indexes over this are counted but not told apart; OpenAI takes 2,048 inputs.
constexpr std::size_t index_max = 8192;

class Checker {
 public:
  Checker(Operation operation, std::string_view body, std::size_t inputs)
      : operation_(operation), inputs_(inputs), body_(body), cursor_(body) {}

  AnswerCheck check() {
    if (cursor_.peek() == JsonKind::object) {
      read_top();
    } else if (cursor_.peek() == JsonKind::array) {
      read_top_array();
    } else {
      cursor_.skip();
    }
    if (!cursor_.finish()) return {.fault = AnswerFault::not_json};
    if (is_error_) return {.fault = AnswerFault::error, .error = error_.empty() ? body_ : error_};
    if (!has_key_) return {.fault = AnswerFault::no_key};
    if (operation_ == Operation::embeddings && !are_rows_good()) {
      return {.fault = AnswerFault::bad_rows};
    }
    return {AnswerFault::none, {}, model_, usage_};
  }

 private:
  void read_top() {
    cursor_.enter_object();
    for (JsonString name; cursor_.next_member(name);) {
      if (name == "error") {
        is_error_ = is_told_error() || is_error_;
      } else if (name == "object") {
        const auto object = cursor_.string_or_skip();
        is_error_ = is_error_ || (object && *object == "error");
      } else if (name == "status" && operation_ == Operation::responses) {
        const auto status = cursor_.string_or_skip();
        is_error_ = is_error_ || (status && *status == "failed");
      } else if (name == "model") {
        model_ = cursor_.skip();
      } else if (name == "usage") {
        usage_ = cursor_.skip();
      } else {
        read_member(name);
      }
    }
  }

  void read_member(const JsonString& name) {
    const JsonKind kind = cursor_.peek();
    switch (operation_) {
      case Operation::chat:
      case Operation::completions:
        if (name == "choices" && kind == JsonKind::array) return read_choices();
        break;
      case Operation::embeddings:
        if (name == "data" && kind == JsonKind::array) return read_rows();
        break;
      case Operation::responses:
        has_key_ = has_key_ || (name == "output" && kind == JsonKind::array);
        break;
      case Operation::rerank:
        has_key_ = has_key_ || (kind == JsonKind::array &&
                                (name == "results" || name == "rankings" || name == "data"));
        break;
      case Operation::models:
        // Ollama has `data` null when there is no model.
        has_key_ = has_key_ || (name == "data" && kind == JsonKind::null) ||
                   (kind == JsonKind::array && (name == "data" || name == "models"));
        break;
    }
    cursor_.skip();
  }

  /// Old llama.cpp builds answer n > 1 with an array of replies, TEI ranks in a bare array,
  /// Together lists models in one.
  void read_top_array() {
    has_key_ = operation_ == Operation::rerank || operation_ == Operation::models;
    cursor_.enter_array();
    while (cursor_.next_element()) {
      if (cursor_.peek() == JsonKind::object && is_first_element_) {
        read_top();
      } else {
        cursor_.skip();
      }
      is_first_element_ = false;
    }
    // What stands in a row is of that row.
    const bool are_rows = operation_ == Operation::rerank || operation_ == Operation::models;
    if (are_rows) model_ = usage_ = {};
  }

  /// Consumes the value of `error`: null, false and "" are no errors.
  bool is_told_error() {
    switch (cursor_.peek()) {
      case JsonKind::null: cursor_.read_null(); return false;
      case JsonKind::boolean: return cursor_.read_boolean();
      case JsonKind::string: return !cursor_.read_string().raw.empty();
      default: cursor_.skip(); return true;
    }
  }

  void read_choices() {
    has_key_ = true;
    cursor_.enter_array();
    while (cursor_.next_element()) {
      if (!cursor_.enter_object_or_skip()) continue;
      for (JsonString name; cursor_.next_member(name);) {
        if (name == "finish_reason") {
          const auto finish = cursor_.string_or_skip();
          is_error_ = is_error_ || (finish && (*finish == "error" || *finish == "abort"));
        } else if (name == "error" && cursor_.peek() == JsonKind::object) {
          is_error_ = true;
          error_ = cursor_.skip();
        } else {
          cursor_.skip();
        }
      }
    }
  }

  void read_rows() {
    has_key_ = true;
    cursor_.enter_array();
    while (cursor_.next_element()) {
      std::size_t index = rows_++;
      if (!cursor_.enter_object_or_skip()) {
        has_bad_row_ = true;
        continue;
      }
      std::size_t width = 0;
      for (JsonString name; cursor_.next_member(name);) {
        if (name == "index") {
          const auto told = cursor_.integer_or_skip();
          if (told) index = *told < 0 ? SIZE_MAX : static_cast<std::size_t>(*told);
        } else if (name == "embedding") {
          width = read_width();
        } else {
          cursor_.skip();
        }
      }
      note_row(index, width);
    }
  }

  /// Elements of an array, or bytes of base64; 0 for anything else.
  std::size_t read_width() {
    if (cursor_.peek() == JsonKind::array) return cursor_.count();
    const auto text = cursor_.string_or_skip();
    if (!text) return 0;
    // The only escape that base64 knows is that of its slash.
    const auto escapes = std::count(text->raw.begin(), text->raw.end(), '\\');
    return text->raw.size() - static_cast<std::size_t>(escapes);
  }

  void note_row(std::size_t index, std::size_t width) {
    if (width == 0 || width_.value_or(width) != width) has_bad_row_ = true;
    width_ = width;
    highest_ = std::max(highest_, index);
    if (index >= index_max) return;
    if (!seen_) seen_.emplace();
    if (seen_->test(index)) has_bad_row_ = true;
    seen_->set(index);
  }

  bool are_rows_good() const noexcept {
    const bool are_complete = rows_ == 0 || highest_ == rows_ - 1;
    return !has_bad_row_ && are_complete && (inputs_ == 0 || inputs_ == rows_);
  }

  Operation operation_;
  std::size_t inputs_;
  std::string_view body_;
  JsonCursor cursor_;
  std::string_view error_;
  std::string_view model_;
  std::string_view usage_;
  bool has_key_ = false;
  bool is_error_ = false;
  bool is_first_element_ = true;
  std::size_t rows_ = 0;
  std::size_t highest_ = 0;
  std::optional<std::size_t> width_;
  bool has_bad_row_ = false;
  /// Of embeddings only: it is large to clear.
  std::optional<std::bitset<index_max>> seen_;
};

}  // namespace

AnswerCheck check_answer(Operation operation, std::string_view body, std::size_t inputs) {
  return Checker(operation, body, inputs).check();
}

}  // namespace byway::wire
