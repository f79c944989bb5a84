// byway-standin: a small server that speaks OpenAI's format, for trying Byway without a model.
//
//     byway-standin [--port N] [--key K] [--delay-ms N]
//
// Port 0 picks a free one; the first line of output says which. One thread per connection.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "connection.hpp"

namespace standin {
namespace {

using simdjson::dom::element;
constexpr std::array models = {"hello", "acme/hello-large"};
constexpr int dimensions = 8;

struct Settings {
  int port = 0;
  std::string key;
  int delay_ms = 15;
};

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20;
    if (is_control) out += fmt::format("\\u{:04x}", static_cast<int>(c));
    if (c == '"' || c == '\\') out += '\\';
    if (!is_control) out += c;
  }
  return out + '"';
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i > bytes.size() ? '=' : alphabet[group >> (18 - 6 * i) & 63];
    }
  }
  return out;
}

/// The words of a text, each with the blank before it: this server's tokens.
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' ', 1), text.size());
    tokens.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return tokens;
}

/// Message content: a string, or the text parts of a list.
std::string text_of(element content) {
  if (content.is_string()) return std::string(std::string_view(content));
  std::string text;
  if (content.is_array()) {
    for (const element part : content.get_array()) {
      std::string_view piece;
      if (part["text"].get(piece) == simdjson::SUCCESS) text += piece;
    }
  }
  return text;
}

template <class T>
T field(element object, std::string_view name, T otherwise) {
  T value = otherwise;
  return object[name].get(value) == simdjson::SUCCESS ? value : otherwise;
}

/// Answers the requests of one connection.
class Answers {
 public:
  Answers(int fd, const Settings& settings) : connection_(fd), settings_(settings) {}

  void serve() {
    HttpRequest request;
    while (connection_.read(request)) {
      answer(request);
      if (!connection_.is_open() || !request.keeps_alive) return;
    }
  }

 private:
  void send(std::string_view bytes) { connection_.send(bytes); }

  void reply(const char* status, const std::string& json) {
    send(
        fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
                    "X-RateLimit-Limit-Requests: 600\r\nX-RateLimit-Remaining-Requests: 599\r\n"
                    "\r\n{}",
                    status, json.size(), json));
  }

  void fail(const char* status, const char* code, const std::string& message) {
    constexpr auto format =
        R"({{"error":{{"message":{},"type":"invalid_request_error","param":null,"code":"{}"}}}})";
    reply(status, fmt::format(format, json_text(message), code));
  }

  void answer(const HttpRequest& request) {
    if (request.path == "/health") return reply("200 OK", R"({"status":"ok"})");
    if (!settings_.key.empty() && request.authorization != "Bearer " + settings_.key) {
      return fail("401 Unauthorized", "invalid_api_key", "Incorrect API key provided.");
    }
    if (request.method == "GET" && request.path == "/v1/models") return list_models();
    const bool is_chat = request.path == "/v1/chat/completions";
    const bool is_embeddings = request.path == "/v1/embeddings";
    if (request.method != "POST" ||
        (!is_chat && !is_embeddings && request.path != "/v1/completions")) {
      return fail("404 Not Found", "unknown_url", "Unknown request URL.");
    }
    simdjson::dom::parser parser;
    element body;
    if (parser.parse(request.body).get(body) != simdjson::SUCCESS || !body.is_object()) {
      return fail("400 Bad Request", "invalid_json", "The body is not a JSON object.");
    }
    model_ = field(body, "model", std::string_view());
    if (std::find(models.begin(), models.end(), model_) == models.end()) {
      return fail("404 Not Found", "model_not_found",
                  "The model `" + model_ + "` does not exist; try `" + models[0] + "`.");
    }
    return is_embeddings ? embed(body) : generate(body, is_chat);
  }

  void list_models() {
    constexpr auto format =
        R"({{"id":{},"object":"model","created":1700000000,"owned_by":"standin",)"
        R"("max_model_len":4096}})";
    std::string rows;
    for (const char* model : models) {
      rows += (rows.empty() ? "" : ",") + fmt::format(format, json_text(model));
    }
    reply("200 OK", fmt::format(R"({{"object":"list","data":[{}]}})", rows));
  }

  void generate(element body, bool is_chat) {
    std::string prompt;
    std::size_t prompt_tokens = 0;
    if (is_chat) {
      simdjson::dom::array messages;
      if (body["messages"].get(messages) != simdjson::SUCCESS) {
        return fail("400 Bad Request", "missing_messages", "`messages` is required.");
      }
      for (const element message : messages) {
        element content;
        if (message["content"].get(content) != simdjson::SUCCESS) continue;
        const std::string text = text_of(content);
        prompt_tokens += tokens_of(text).size();
        if (field(message, "role", std::string_view()) == "user") prompt = text;
      }
    } else {
      prompt = field(body, "prompt", std::string_view());
      prompt_tokens = tokens_of(prompt).size();
    }
    const std::string text = "Hello! You said: \"" + prompt +
                             "\" I am a stand-in and not a language model, but every word of this "
                             "came back the way a model's words would.";
    std::vector<std::string_view> tokens = tokens_of(text);
    const auto most = field<std::int64_t>(
        body, "max_tokens", field<std::int64_t>(body, "max_completion_tokens", 1 << 20));
    const bool is_cut = most >= 0 && static_cast<std::size_t>(most) < tokens.size();
    if (is_cut) tokens.resize(static_cast<std::size_t>(most));
    finish_ = is_cut ? "length" : "stop";
    usage_ = fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})",
                         prompt_tokens, tokens.size(), prompt_tokens + tokens.size());
    if (field(body, "stream", false)) {
      element options;
      const bool wants_usage = body["stream_options"].get(options) == simdjson::SUCCESS &&
                               field(options, "include_usage", false);
      return stream(tokens, is_chat, wants_usage);
    }
    wait(static_cast<int>(tokens.size()));
    std::string said;
    for (const std::string_view token : tokens) said += token;
    const std::string content =
        is_chat ? R"("message":{"role":"assistant","content":)" : R"("text":)";
    constexpr auto format = R"({}[{{"index":0,{}{}{},"finish_reason":"{}"}}],"usage":{}}})";
    reply("200 OK", fmt::format(format, head(is_chat, ""), content, json_text(said),
                                is_chat ? "}" : "", finish_, usage_));
  }

  /// The start of every answer, up to the value of `choices`.
  std::string head(bool is_chat, const char* suffix) const {
    return fmt::format(
        R"({{"id":"{}-standin","object":"{}{}","created":1700000000,"model":{},"choices":)",
        is_chat ? "chatcmpl" : "cmpl", is_chat ? "chat.completion" : "text_completion",
        is_chat ? suffix : "", json_text(model_));
  }

  void stream(const std::vector<std::string_view>& tokens, bool is_chat, bool wants_usage) {
    send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    const std::string begin = head(is_chat, ".chunk");
    const auto choice = [&](const std::string& content, const std::string& finish) {
      event(fmt::format(R"({}[{{"index":0,{},"finish_reason":{}}}]}})", begin, content, finish));
    };
    if (is_chat) choice(R"("delta":{"role":"assistant","content":""})", "null");
    for (const std::string_view token : tokens) {
      wait(1);
      choice((is_chat ? R"("delta":{"content":)" : R"("text":)") + json_text(token) +
                 (is_chat ? "}" : ""),
             "null");
    }
    choice(is_chat ? R"("delta":{})" : R"("text":"")", json_text(finish_));
    if (wants_usage) event(fmt::format(R"({}[],"usage":{}}})", begin, usage_));
    event("[DONE]");
    send("0\r\n\r\n");
  }

  void event(const std::string& text) {
    send(fmt::format("{:x}\r\ndata: {}\n\n\r\n", text.size() + 8, text));
  }

  /// Vectors of length 1 that depend on the text alone.
  static std::array<float, dimensions> vector_of(std::string_view text) {
    std::array<float, dimensions> vector{};
    std::uint64_t state = 14695981039346656037U;
    for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211U;
    float length = 0;
    for (float& value : vector) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      value = static_cast<float>(state >> 40) / static_cast<float>(1 << 23) - 1.0F;
      length += value * value;
    }
    for (float& value : vector) value /= std::sqrt(length);
    return vector;
  }

  void embed(element body) {
    std::vector<std::string> inputs;
    element input;
    if (body["input"].get(input) != simdjson::SUCCESS) {
      return fail("400 Bad Request", "missing_input", "`input` is required.");
    }
    if (input.is_array()) {
      for (const element item : input.get_array()) inputs.push_back(text_of(item));
    } else {
      inputs.push_back(text_of(input));
    }
    const bool is_base64 = field(body, "encoding_format", std::string_view()) == "base64";
    std::string rows;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto vector = vector_of(inputs[i]);
      const std::string_view bytes(reinterpret_cast<const char*>(vector.data()), sizeof vector);
      rows += fmt::format(
          R"({}{{"object":"embedding","index":{},"embedding":{}}})", i == 0 ? "" : ",", i,
          is_base64 ? json_text(base64(bytes)) : fmt::format("[{}]", fmt::join(vector, ",")));
    }
    constexpr auto format =
        R"({{"object":"list","data":[{}],"model":{},"usage":{{"prompt_tokens":{},)"
        R"("total_tokens":{}}}}})";
    reply("200 OK", fmt::format(format, rows, json_text(model_), inputs.size(), inputs.size()));
  }

  /// In steps, so that a client that goes away ends the wait.
  void wait(int tokens) const {
    using std::chrono::steady_clock;
    const auto until = steady_clock::now() + std::chrono::milliseconds(settings_.delay_ms) * tokens;
    while (steady_clock::now() < until && !connection_.is_gone()) {
      std::this_thread::sleep_for(std::min<steady_clock::duration>(std::chrono::milliseconds(20),
                                                                   until - steady_clock::now()));
    }
  }

  Connection connection_;
  const Settings& settings_;
  std::string model_, finish_, usage_;
};

/// The connections that run, so that the end can end them.
class Connections {
 public:
  void add(int fd, const Settings& settings) {
    const std::lock_guard lock(mutex_);
    open_.insert(fd);
    std::thread([this, fd, &settings] {
      Answers(fd, settings).serve();
      const std::lock_guard inner(mutex_);
      open_.erase(fd);
      close(fd);
      changed_.notify_all();
    }).detach();
  }
  void end() {
    std::unique_lock lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    changed_.wait(lock, [this] { return open_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> open_;
};

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(fd, 128) != 0 || getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("byway-standin");
    return -1;
  }
  std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

bool read_arguments(int count, char** arguments, Settings& settings) {
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = arguments[i];
    if (i + 1 == count) return false;
    const char* value = arguments[i + 1];
    const int number = std::atoi(value);
    if (name == "--port") settings.port = number;
    if (name == "--delay-ms") settings.delay_ms = number;
    if (name == "--key") settings.key = value;
    if (name != "--port" && name != "--delay-ms" && name != "--key") return false;
  }
  return settings.port >= 0 && settings.port < 65536 && settings.delay_ms >= 0;
}

}  // namespace
}  // namespace standin

int main(int count, char** arguments) {
  using namespace standin;
  Settings settings;
  if (!read_arguments(count, arguments, settings)) {
    std::fputs("usage: byway-standin [--port N] [--key K] [--delay-ms N]\n", stderr);
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int ending = signalfd(-1, &signals, SFD_CLOEXEC);
  const int listener = listen_on(settings.port);
  if (listener < 0 || ending < 0) return 1;

  Connections connections;
  pollfd watched[] = {{listener, POLLIN, 0}, {ending, POLLIN, 0}};
  while (poll(watched, 2, -1) >= 0 && (watched[1].revents & POLLIN) == 0) {
    if ((watched[0].revents & POLLIN) == 0) continue;
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    // Every event is a packet of its own: without this the kernel would gather them.
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections.add(fd, settings);
  }
  connections.end();
  close(listener);
  return 0;
}
