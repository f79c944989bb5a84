// What a stream's events and a body's splice cost, beside simdjson's own parse of the same bytes.
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "wire/json_scan.hpp"
#include "wire/json_splice.hpp"
#include "wire/sse_parser.hpp"
#include "wire/stream_fold.hpp"

namespace {

using namespace byway;

constexpr int rounds = 31;
constexpr int events = 2000;
constexpr std::size_t event_bytes = 300;

/// The median of `rounds` runs, in microseconds for each of `units`.
template <class Work>
double microseconds(int units, Work work) {
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begun;
    times.push_back(time.count() / units);
  }
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  return times[rounds / 2];
}

[[gnu::noinline]] void keep(std::size_t value) {
  static volatile std::size_t sink = 0;
  sink = sink + value;
}

void row(const char* what, double ours, double limit, double theirs) {
  std::printf("| %-40s | %8.3f | %6.2f | %10.3f | %s |\n", what, ours, limit, theirs,
              ours <= limit ? "yes" : "NO");
}

std::string event_json() {
  std::string text =
      R"({"id":"chatcmpl-8f1c2ab94e60","object":"chat.completion.chunk","created":1700000000,)"
      R"("model":"meta-llama/Llama-4-Maverick","system_fingerprint":"fp_44709d6fcb","choices":)"
      R"([{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"pad":")";
  // "data: ", two quotes and braces, and the two line ends are in the count.
  text.append(event_bytes - std::min(event_bytes, text.size() + 10), 'p');
  return text + "\"}";
}

void bench_events() {
  const std::string json = event_json();
  std::string stream;
  for (int event = 0; event < events; ++event) stream += "data: " + json + "\n\n";
  const wire::Dialect& dialect = *wire::preset("openai");
  const double ours = microseconds(events, [&] {
    wire::SseParser parser;
    wire::StreamFold fold(Operation::chat, dialect);
    // As the socket gives them: 16 kB at a time.
    for (std::size_t at = 0; at < stream.size(); at += 16384) {
      parser.feed(std::string_view(stream).substr(at, 16384), [&](const wire::SseEvent& event) {
        for (const auto& step : fold.feed(event)) keep(step.event.text.size());
        return true;
      });
    }
  });
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  const double theirs = microseconds(events, [&] {
    for (int event = 0; event < events; ++event) keep(parser.parse(padded).error());
  });
  row("SSE parse and fold, 300-byte event", ours, 0.35, theirs);
}

constexpr const char* prose =
    R"(Tell me more about a river, a town and its name, in words that a child knows. \n)";
constexpr const char* code = R"(if (name == \"town\") {\n\tsay(\"river\", 1);\n}\n)";

/// What Python's json.dumps() makes of other alphabets by default.
constexpr const char* cyrillic = R"(\u043f\u0440\u0438\u0432\u0435\u0442 \ud83d\ude00\n)";

/// A conversation whose messages hold `message_bytes` of `line` over and over.
std::string body_of(std::size_t bytes, std::size_t message_bytes, const char* line) {
  std::string text = R"({"model":"byo:my-vllm/m1","temperature":0.2,"messages":[)";
  while (text.size() + 100 < bytes) {
    text += R"({"role":"user","content":")";
    const std::size_t end = std::min(text.size() + message_bytes, bytes - 60);
    while (text.size() < end) text += line;
    text += R"("},)";
  }
  text.back() = ']';
  return text + R"(,"max_tokens":256,"stream":true})";
}

void bench_splice(const char* what, std::size_t bytes, std::size_t message_bytes, const char* line,
                  double limit) {
  const std::string body = body_of(bytes, message_bytes, line);
  const int units = static_cast<int>(2'000'000 / bytes + 10);
  const double ours = microseconds(units, [&] {
    for (int unit = 0; unit < units; ++unit) {
      const auto scan = wire::scan_request(body, Operation::chat);
      const auto edited = wire::edit_request(body, *scan, {.model = "m1", .stream = true});
      keep(edited->size());
    }
  });
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(body);
  const double theirs = microseconds(units, [&] {
    for (int unit = 0; unit < units; ++unit) keep(parser.parse(padded).error());
  });
  row(what, ours, limit, theirs);
}

}  // namespace

int main() {
  std::printf("Microseconds, medians of %d rounds, one core.\n\n", rounds);
  std::printf("| %-40s | %8s | %6s | %10s | held |\n", "work", "Byway", "limit", "simdjson");
  std::printf("| --- | ---: | ---: | ---: | --- |\n");
  bench_events();
  bench_splice("scan and splice, 2 kB chat body", 2000, 500, prose, 1.0);
  bench_splice("the same, 200 kB of prose", 200'000, 20'000, prose, 40.0);
  bench_splice("the same, 200 kB of prose, 150 bytes each", 200'000, 150, prose, 40.0);
  bench_splice("the same, 200 kB of source code", 200'000, 20'000, code, 40.0);
  bench_splice("the same, 200 kB of \\u escapes", 200'000, 20'000, cyrillic, 40.0);
  return 0;
}
