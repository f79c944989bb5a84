// The texts of a transcript: quotes, escapes and the macros of wire.md 4.1.
#include <cctype>
#include <charconv>
#include <stdexcept>

#include "wire/player/transcript.hpp"

namespace byway::wire_player {
namespace {

const std::string base =
    R"("id":"chatcmpl-t","object":"chat.completion.chunk","created":1700000000,"model":"m1")";

std::string choice(std::string_view delta, std::string_view finish) {
  std::string text = "{" + base + R"(,"choices":[{"index":0,"delta":{)";
  text.append(delta).append(R"(},"finish_reason":)").append(finish);
  return text + "}]}";
}

std::string usage(std::string_view counts) {
  const std::size_t comma = counts.find(',');
  const std::string prompt(counts.substr(0, comma));
  const std::string completion(counts.substr(comma + 1));
  return R"("usage":{"prompt_tokens":)" + prompt + R"(,"completion_tokens":)" + completion +
         R"(,"total_tokens":)" + std::to_string(std::stoi(prompt) + std::stoi(completion)) + "}";
}

const std::string whole_reply =
    R"({"id":"chatcmpl-t","object":"chat.completion","created":1700000000,"model":"m1","choices":)"
    R"([{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],)" +
    usage("7,2") + "}";

/// The macro without its braces; nothing when it is none.
std::optional<std::string> macro(std::string_view name) {
  if (name == "base") return base;
  if (name == "J") return whole_reply;
  if (name == "R") return choice(R"("role":"assistant","content":"")", "null");
  if (name.size() < 2 || name[1] != ':') return {};
  const std::string_view rest = name.substr(2);
  switch (name[0]) {
    case 'C': return choice(R"("content":")" + std::string(rest) + '"', "null");
    case 'F': return choice("", '"' + std::string(rest) + '"');
    case 'U': return "{" + base + R"(,"choices":[],)" + usage(rest) + "}";
    default: return {};
  }
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const char letter = text[++at];
    if (letter == 'x') {
      unsigned value = 0;
      std::from_chars(text.data() + at + 1, text.data() + at + 3, value, 16);
      out += static_cast<char>(value);
      at += 2;
    } else if (letter == 'n' || letter == 'r' || letter == 't') {
      out += letter == 'n' ? '\n' : letter == 'r' ? '\r' : '\t';
    } else {
      out += letter;
    }
  }
  return out;
}

/// Takes one item off the front.
std::string take_item(std::string_view& text) {
  if (text.starts_with("ev")) {
    text.remove_prefix(2);
    return "data: " + take_item(text) + "\n\n";
  }
  const char first = text.front();
  if (first == 'D') {
    text.remove_prefix(1);
    return "data: [DONE]\n\n";
  }
  if (std::isdigit(static_cast<unsigned char>(first)) != 0) {
    std::size_t count = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), count).ptr;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    const std::string item = take_item(text);
    std::string out;
    out.reserve(item.size() * count);
    while (count-- > 0) out += item;
    return out;
  }
  if (first != '"' && first != '\'' && first != '{') {
    throw std::runtime_error("no item: " + std::string(text));
  }
  const char closing = first == '{' ? '}' : first;
  std::size_t end = 1;
  while (end < text.size() && text[end] != closing)
    end += first == '"' && text[end] == '\\' ? 2 : 1;
  if (end >= text.size()) throw std::runtime_error("not closed: " + std::string(text));
  const std::string_view whole = text.substr(0, end + 1);
  text.remove_prefix(end + 1);
  if (first == '{') return expand_macros(whole);
  const std::string_view inside = whole.substr(1, whole.size() - 2);
  return expand_macros(first == '"' ? unescaped(inside) : std::string(inside));
}

}  // namespace

std::string expand_macros(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.front() == '{' ? text.find('}') : std::string_view::npos;
    if (end != std::string_view::npos) {
      if (const auto found = macro(text.substr(1, end - 1))) {
        out += *found;
        text.remove_prefix(end + 1);
        continue;
      }
    }
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::string read_items(std::string_view text) {
  std::string out;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return out;
    out += take_item(text);
  }
}

}  // namespace byway::wire_player
