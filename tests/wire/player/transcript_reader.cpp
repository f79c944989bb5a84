// One line of a `.wire` file after the other; tests/wire/README.md lists the words.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "wire/player/transcript.hpp"

namespace byway::wire_player {
namespace {

using testing_support::Drip;
using testing_support::Finish;
using testing_support::Framing;
using testing_support::Hold;
using testing_support::Milliseconds;
using testing_support::Reset;
using testing_support::Send;
using testing_support::SendChunk;
using testing_support::SendEnd;
using testing_support::SendHead;
using testing_support::Sleep;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t\r") + 1);
}

/// Takes what stands before `mark`, and the mark.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t at = std::min(text.find(mark), text.size());
  const std::string_view taken = trimmed(text.substr(0, at));
  text = trimmed(text.substr(std::min(at + 1, text.size())));
  return taken;
}

int number_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("=")) text = trimmed(text.substr(1));
  int number = -1;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) {
    throw std::runtime_error("no number: " + std::string(text));
  }
  return number;
}

/// Compresses piece by piece, each flushed so that it can be read at once.
class Gzip {
 public:
  Gzip() { ::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, 0); }
  Gzip(const Gzip&) = delete;
  ~Gzip() { ::deflateEnd(&stream_); }

  std::string feed(std::string_view bytes, bool is_last) {
    std::string out(::deflateBound(&stream_, bytes.size()) + 64, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream_, is_last ? Z_FINISH : Z_SYNC_FLUSH);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

 private:
  z_stream stream_{};
};

constexpr std::string_view hello =
    R"({"ok":true,"text":"Hello","finish":"stop","tools":[],"attempts":1,"usage":)"
    R"({"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}})";

class Reader {
 public:
  explicit Reader(Run& run) : run_(run) {}

  void read(std::string_view line) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, space);
    const std::string_view rest = trimmed(line.substr(space));
    if (read_action(word, rest) || read_request(word, rest) || read_call(word, rest) ||
        read_expected(word, rest)) {
      return;
    }
    throw std::runtime_error("unknown word: " + std::string(word));
  }

 private:
  Connection& connection() {
    if (run_.connections.empty()) run_.connections.emplace_back();
    return run_.connections.back();
  }
  Exchange& exchange() {
    if (connection().exchanges.empty()) connection().exchanges.emplace_back();
    return connection().exchanges.back();
  }
  void add(Action action) { exchange().answer.push_back(std::move(action)); }

  bool read_action(std::string_view word, std::string_view rest) {
    if (word == "head")
      read_head(rest);
    else if (word == "SSE")
      read_head("200; content-type: text/event-stream; te=chunked");
    else if (word == "BASE")
      base();
    else if (word == "JSON")
      json(200, rest);
    else if (word == "json")
      json(number_of(rest.substr(0, 3)), rest.substr(3));
    else if (word == "chunk")
      add(SendChunk{encoded(read_items(rest), false)});
    else if (word == "raw")
      raw(read_items(rest));
    else if (word == "drip")
      drip(rest);
    else if (word == "sleep")
      sleep(rest);
    else if (word == "end")
      end();
    else if (word == "fin")
      add(Finish{});
    else if (word == "rst")
      add(Reset{});
    else if (word == "hold")
      add(Hold{});
    else
      return false;
    return true;
  }

  bool read_request(std::string_view word, std::string_view rest) {
    using Kind = RequestCheck::Kind;
    if (word == "conn") {
      const bool is_for_later = rest.ends_with('+');
      if (is_for_later) rest.remove_suffix(1);
      if (number_of(rest) != static_cast<int>(run_.connections.size()) + 1) {
        throw std::runtime_error("connections are numbered from 1 without gaps");
      }
      run_.connections.push_back({{}, is_for_later});
    } else if (word == "expect") {
      Exchange& next = connection().exchanges.emplace_back();
      next.method = take_until(rest, ' ');
      next.path = rest;
    } else if (word == "expect-header") {
      const std::string name(take_until(rest, ':'));
      exchange().checks.push_back({Kind::header, name, std::string(rest)});
    } else if (word == "expect-no-header") {
      exchange().checks.push_back({Kind::no_header, std::string(rest), {}});
    } else if (word == "expect-body-json-has") {
      const std::string pointer(take_until(rest, '='));
      exchange().checks.push_back({Kind::json_has, pointer, std::string(rest)});
    } else if (word == "expect-body-json-lacks") {
      exchange().checks.push_back({Kind::json_lacks, std::string(rest), {}});
    } else {
      return false;
    }
    return true;
  }

  bool read_call(std::string_view word, std::string_view rest) {
    CallPlan& call = run_.call;
    if (word == "call") {
      call.options.clear();
      while (!rest.empty()) {
        std::string_view option = take_until(rest, ' ');
        const std::string name(take_until(option, '='));
        call.options.emplace_back(name, option);
      }
    } else if (word == "body")
      call.body = rest;
    else if (word == "body-bytes")
      call.body_bytes = static_cast<std::size_t>(number_of(rest));
    else if (word == "model")
      call.model = rest;
    else if (word == "calls")
      call.calls = number_of(rest), run_.is_library_only = true;
    else if (word == "wait-for-close")
      call.waits_for_close = true;
    else if (word == "cancel-after-first-delta")
      call.is_cancelled = run_.is_library_only = true;
    else if (word == "event-bytes")
      call.event_bytes = number_of(rest), run_.is_library_only = true;
    else if (word == "tokens") {
      while (!rest.empty()) call.tokens.emplace_back(take_until(rest, ' '));
      run_.is_library_only = true;
    } else if (word == "base")
      run_.endpoint.base = rest == "/" ? "" : rest;
    else if (word == "dialect")
      run_.endpoint.dialect = rest;
    else if (word == "key")
      run_.endpoint.has_key = true;
    else if (word == "endpoint")
      run_.endpoint.lines.emplace_back(rest);
    else if (word == "timed")
      run_.is_timed = true;
    else
      return false;
    return true;
  }

  bool read_expected(std::string_view word, std::string_view rest) {
    Expected& expected = run_.expected;
    if (word == "hello")
      expected.records.emplace_back(hello);
    else if (word == "ok")
      expected.records.emplace_back(R"({"ok":true,"error":null})");
    else if (word == "error")
      error(rest);
    else if (word == "record")
      expected.records.push_back(rest.starts_with('{') ? std::string(rest) : read_items(rest));
    else if (word == "lacks")
      expected.lacks.push_back(read_items(rest));
    else if (word == "within")
      expected.within = Milliseconds(number_of(rest));
    else if (word == "expect-close")
      expected.close_within = Milliseconds(number_of(rest));
    else if (word == "first-token-within") {
      expected.first_token_max = Milliseconds(number_of(rest));
      run_.is_library_only = true;
    } else if (word == "notes") {
      while (!rest.empty()) expected.notes.emplace_back(take_until(rest, ' '));
    } else if (word == "range") {
      const std::string pointer(take_until(rest, ' '));
      const double least = std::stod(std::string(take_until(rest, ' ')));
      expected.ranges.push_back({pointer, least, std::stod(std::string(rest))});
    } else if (word == "longest") {
      const std::string pointer(take_until(rest, ' '));
      expected.lengths.emplace_back(pointer, static_cast<std::size_t>(number_of(rest)));
    } else if (word == "count") {
      const std::string_view what = take_until(rest, ' ');
      (what == "connections" ? expected.connections : expected.requests) = number_of(rest);
    } else {
      return false;
    }
    return true;
  }

  void error(std::string_view rest) {
    const std::string name(take_until(rest, ' '));
    std::string text = R"({"ok":false,"error":{"class":")" + name + '"';
    if (!rest.empty()) text.append(R"(,"cause":")").append(rest).append("\"");
    run_.expected.records.push_back(text + "}}");
  }

  void read_head(std::string_view rest) {
    SendHead head{.status = number_of(take_until(rest, ';')), .framing = Framing::as_given};
    is_length_counted_ = false;
    gzip_.reset();
    while (!rest.empty()) {
      std::string_view field = take_until(rest, ';');
      if (field == "te=chunked")
        head.framing = Framing::chunked;
      else if (field == "close")
        head.framing = Framing::until_close;
      else if (field == "cl=auto")
        head.framing = Framing::length, is_length_counted_ = true;
      else if (field.starts_with("cl=")) {
        head.framing = Framing::length;
        head.length = static_cast<std::size_t>(number_of(field.substr(3)));
      } else {
        const std::string name(take_until(field, ':'));
        if (name == "content-encoding") gzip_ = std::make_unique<Gzip>();
        head.headers.emplace_back(name, field);
      }
    }
    add(std::move(head));
    head_at_ = exchange().answer.size() - 1;
  }

  std::string encoded(const std::string& bytes, bool is_last) {
    return gzip_ ? gzip_->feed(bytes, is_last) : bytes;
  }

  void raw(const std::string& bytes) {
    if (is_length_counted_) std::get<SendHead>(exchange().answer[head_at_]).length += bytes.size();
    add(Send{bytes});
  }

  void end() {
    if (gzip_) add(SendChunk{encoded("", true)});
    add(SendEnd{});
  }

  void base() {
    read_head("200; content-type: text/event-stream; te=chunked");
    for (const char* event : {"ev{R}", "ev{C:Hel}", "ev{C:lo}", "ev{F:stop}", "ev{U:7,2}", "D"}) {
      add(SendChunk{read_items(event)});
    }
    add(SendEnd{});
  }

  void json(int status, std::string_view items) {
    read_head(std::to_string(status) + "; content-type: application/json; cl=auto");
    raw(read_items(items));
  }

  void drip(std::string_view rest) {
    const int each = number_of(take_until(rest, ' '));
    add(Drip{read_items(rest), Milliseconds(each)});
  }

  void sleep(std::string_view rest) { add(Sleep{Milliseconds(number_of(rest))}); }

  Run& run_;
  std::unique_ptr<Gzip> gzip_ = {};
  std::size_t head_at_ = 0;
  bool is_length_counted_ = false;
};

}  // namespace

bool CallPlan::has(std::string_view name) const noexcept {
  return std::any_of(options.begin(), options.end(),
                     [&](const auto& option) { return option.first == name; });
}

std::string_view CallPlan::value(std::string_view name, std::string_view otherwise) const noexcept {
  for (const auto& [option, value] : options) {
    if (option == name) return value;
  }
  return otherwise;
}

std::string Run::slug() const {
  std::string slug = name;
  for (char& letter : slug) {
    if (letter == '.' || letter == '_') letter = '-';
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return slug;
}

std::string body_of(const Run& run) {
  if (run.call.body_bytes > 0) {
    return R"({"messages":[{"role":"user","content":")" + std::string(run.call.body_bytes, 'x') +
           "\"}]}";
  }
  if (!run.call.body.empty()) return run.call.body;
  const std::string_view operation = run.call.value("op", "chat");
  if (operation == "models") return {};
  if (operation == "completions") return R"({"prompt":"Hello"})";
  if (operation == "embeddings") return R"({"input":["a","b"]})";
  if (operation == "responses") return R"({"input":"Hello"})";
  if (operation == "rerank") return R"({"query":"q","documents":["a","b","c"]})";
  return R"({"messages":[{"role":"user","content":"Hello"}]})";
}

std::vector<Run> read_transcript(std::string_view name, std::string_view text) {
  std::vector<std::pair<std::string, std::vector<std::pair<int, std::string_view>>>> parts;
  parts.push_back({std::string(name), {}});
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("run ")) {
      parts.push_back({std::string(name) + "." + std::string(line.substr(4)), {}});
    } else {
      parts.back().second.emplace_back(number, line);
    }
  }
  std::vector<Run> runs;
  for (std::size_t part = parts.size() > 1 ? 1 : 0; part < parts.size(); ++part) {
    Run& run = runs.emplace_back();
    run.name = parts[part].first;
    Reader reader(run);
    const auto read_lines = [&](const auto& lines) {
      for (const auto& [at, line] : lines) {
        try {
          reader.read(line);
        } catch (const std::exception& error) {
          throw std::runtime_error(std::string(name) + ".wire:" + std::to_string(at) + ": " +
                                   error.what());
        }
      }
    };
    if (part > 0) read_lines(parts[0].second);
    read_lines(parts[part].second);
  }
  return runs;
}

std::vector<Run> read_folder(const std::string& folder) {
  std::map<std::string, std::string> texts;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".wire") continue;
    std::ifstream stream(file.path());
    texts[file.path().stem().string()].assign(std::istreambuf_iterator<char>(stream), {});
  }
  std::vector<Run> all;
  for (const auto& [name, text] : texts) {
    for (Run& run : read_transcript(name, text)) all.push_back(std::move(run));
  }
  return all;
}

}  // namespace byway::wire_player
