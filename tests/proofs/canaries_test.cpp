// Fifty planted secrets in a thousand calls of every ending: none is in anything that Byway writes
// or says.
#include "catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include <byway/router.hpp>

#include "store/scratch.hpp"
#include "support/loopback_server.hpp"

namespace byway::proofs {
namespace {

using std::chrono::milliseconds;
using store::must;
using testing_support::Hold;
using testing_support::json_reply;
using testing_support::LoopbackServer;
using testing_support::RefusingPort;
using testing_support::Reset;
using testing_support::Script;
using testing_support::SeenRequest;
using testing_support::SendChunk;
using testing_support::SendHead;

constexpr int kinds = 10;
constexpr int endings = 20;
constexpr int calls = 1000;

/// 24 letters and digits that stand nowhere else.
std::string canary(std::string_view lead, int number) {
  std::minstd_rand random(static_cast<unsigned>(number * 31) + static_cast<unsigned>(lead[0]));
  std::string text;
  while (text.size() < 24) text += "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[random() / 64 % 32];
  return std::string(lead) + text;
}

/// The fifty: one of each kind goes into a call.
struct Planted {
  std::string upstream_key;
  std::string prompt;
  std::string reply;
  std::string header;
  std::string customer_key = {};
};

Planted planted(int number) {
  return {canary("sk-u", number), canary("p", number), canary("r", number), canary("h", number)};
}

/// What this process writes to its standard output and error, in a file meanwhile.
class Output {
 public:
  explicit Output(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (const int fd : {1, 2}) {
      kept_[fd] = ::dup(fd);
      ::dup2(file, fd);
    }
    ::close(file);
  }
  Output(const Output&) = delete;
  ~Output() {
    for (const int fd : {1, 2}) {
      ::dup2(kept_[fd], fd);
      ::close(kept_[fd]);
    }
  }

 private:
  int kept_[3] = {};
};

/// A reply with that text in it, of a server that calls its model by the key.
std::string chat(const std::string& text, const std::string& key) {
  return R"({"model":"m )" + key + R"(","choices":[{"index":0,"message":{"content":")" + text +
         R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}})";
}

std::string delta(const std::string& text, const std::string& key) {
  return R"({"object":"chat.completion.chunk","model":")" + key +
         R"(","choices":[{"index":0,"delta":{"content":")" + text +
         R"("},"finish_reason":null}]})";
}

constexpr const char* finish =
    R"({"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},)"
    R"("finish_reason":"stop"}]})";

std::string refusal(const std::string& key) {
  return R"({"error":{"message":"Incorrect API key provided: )" + key + R"(. Not )" + key +
         R"(!","type":"invalid_request_error","code":"invalid_api_key"}})";
}

Script typed(int status, const char* type, const std::string& body) {
  return {SendHead{status, {{"content-type", type}}}, SendChunk{body}, testing_support::SendEnd{}};
}

/// A server that tells all it knows: how, stands in the model's name, "e-ENDING-NUMBER".
Script answer(const SeenRequest& request) {
  const std::size_t at = request.body.find(R"("model":"e-)") + 11;
  const int ending = std::atoi(request.body.c_str() + at);
  const int number = std::atoi(request.body.c_str() + request.body.find('-', at) + 1);
  const Planted told = planted(number);
  const std::string key(request.header("authorization").substr(7));
  if (key != told.upstream_key) return json_reply(R"({"error":"wrong key"})", 418);
  const SendHead stream{200, {{"content-type", "text/event-stream"}}};
  switch (ending) {
    case 1: return testing_support::event_stream({delta(told.reply, key), finish});
    case 2: return json_reply(refusal(key), 401);
    case 3: return typed(403, "text/html", "<h1>No</h1> " + key + " may not");
    case 4: return json_reply(refusal(key), 429);
    case 5: return typed(500, "text/plain", "Traceback: headers={'Authorization': 'Bearer " + key);
    // Of a page an error quotes the first 64 bytes, and never a key.
    case 6: return typed(200, "text/html", "<html>" + key + "</html>");
    case 7: return json_reply(R"({"choices":[{"message":{"content":")" + told.reply);
    case 8:
      return {SendHead{200, {{"content-type", "application/json"}}},
              SendChunk{chat(told.reply, key)}, Reset{}};
    case 9:
      if (number % 2 == 0) return {stream, SendChunk{"data: {" + told.reply + "\n\n"}, Reset{}};
      return {stream, SendChunk{"data: " + delta(told.reply, key) + "\n\n"}, Reset{}};
    case 10:
      return {stream, SendChunk{"data: " + delta(told.reply, key) + "\n\ndata: " + refusal(key) +
                                "\n\n"},
              testing_support::SendEnd{}};
    case 11: return json_reply(refusal(key));
    case 12:
      return {SendHead{302, {{"location", "http://127.0.0.1:9/?api_key=" + key}}},
              testing_support::SendEnd{}};
    case 13:
    case 15: return {Hold{}};
    case 16: return {stream, SendChunk{"data: " + delta(told.reply, key) + "\n\n"}, Hold{}};
    default: {
      Script script = json_reply(chat(told.reply, key));
      std::get<SendHead>(script[0]).headers.emplace_back("x-echo", key + told.header);
      return script;
    }
  }
}

/// Everything that could hold a secret, as text.
struct Said {
  std::mutex mutex;
  std::string text;

  void add(std::string_view more) {
    const std::lock_guard lock(mutex);
    text.append(more).push_back('\n');
  }
  void add(const Error& error) {
    for (const std::string& part :
         {error.message(), error.detail(), error.reason(), error.param(), error.cause(),
          error.json(), error.endpoint()}) {
      add(part);
    }
    add(must(headers_of(error)));
  }
  void add(const std::vector<MetadataHeader>& headers) {
    for (const MetadataHeader& header : headers) add(header.value);
  }
};

struct Canaries {
  Canaries() {
    must(create_store({.path = store}));
    open();
    Admin owner = router->admin_as_owner();
    for (int number = 0; number < kinds; ++number) {
      all.push_back(planted(number));
      EndpointSettings settings;
      settings.slug = "open-" + std::to_string(number);
      settings.name = "control-control";
      settings.base_url = server.url();
      must(owner.add_endpoint(settings, all.back().upstream_key));
      settings.slug = "shut-" + std::to_string(number);
      settings.base_url = "http://127.0.0.1:" + std::to_string(refusing.port());
      must(owner.add_endpoint(settings, all.back().upstream_key));
      settings.slug = "off-" + std::to_string(number);
      settings.enabled = false;
      must(owner.add_endpoint(settings, all.back().upstream_key));
      CustomerKeySettings wanted;
      wanted.cap_day = 60 + number * 5;
      const MintedKey minted = must(owner.mint_customer_key(wanted));
      all.back().customer_key = minted.key.expose_secret();
    }
  }

  void open() {
    router = must(Router::open({.store = store,
                                .request_bytes_max = 4096,
                                .on_notice = [this](const Error& notice) { said.add(notice); }}));
  }

  /// One call, of the ending that its number says.
  void call(int at) {
    const int ending = at % endings;
    const int number = at / endings % kinds;
    const Planted& own = all[static_cast<std::size_t>(number)];
    const char* place = ending == 14 ? "shut-" : ending == 17 ? "off-" : "open-";
    const std::string model = std::string("byo:") + place + std::to_string(number) + "/e-" +
                              std::to_string(ending) + "-" + std::to_string(number);
    std::string body = R"({"messages":[{"role":"user","content":")" + own.prompt + R"("}]})";
    std::string key = own.customer_key;
    std::string value = own.header;
    std::string name = "X-Mine";
    if (ending == 18) spoil(at / (endings * kinds), body, key, name, value);
    const Header headers[] = {{name, value}};
    const Request request{.body = body,
                          .model = ending == 19 ? std::string_view("byo:nobody/m") : model,
                          .key = key,
                          .headers = headers,
                          .timeouts = {.total = milliseconds(ending == 13 ? 20 : 20'000)}};
    const bool is_streamed = ending == 1 || ending == 9 || ending == 10 || ending == 16;
    is_streamed ? read(request, ending == 16) : ask(request, ending == 15);
  }
  /// Every way in which a caller can get a call wrong.
  static void spoil(int how, std::string& body, std::string& key, std::string& name,
                    std::string& value) {
    switch (how) {
      case 0: body.pop_back(); break;
      case 1: value += "\r\nX-Other: 1"; break;
      case 2: name = "Authorization"; break;
      case 3: key.back() = key.back() == 'x' ? 'y' : 'x'; break;
      default: body.append(5000, ' '); break;
    }
  }
  void ask(const Request& request, bool is_cancelled) {
    auto pending = router->call(request);
    if (is_cancelled) pending.cancel();
    const auto reply = std::move(pending).get();
    if (!reply) said.add(reply.error());
    if (reply) said.add(must(headers_of(*reply)));
    ++(reply ? succeeded : failed);
  }
  void read(const Request& request, bool is_dropped) {
    Stream stream = router->stream(request);
    while (stream.next() != nullptr) {
      if (is_dropped) return;
    }
    if (stream.error() != nullptr) said.add(*stream.error());
    ++(stream.error() == nullptr ? succeeded : failed);
  }

  /// What administration says, right and wrong.
  void administer() {
    Admin owner = router->admin_as_owner();
    for (const Planted& own : all) {
      const auto rotated = owner.rotate_key("open-0", own.upstream_key + "\n");
      REQUIRE_FALSE(rotated);
      said.add(rotated.error());
      const auto admin = router->admin({.key = own.customer_key.substr(0, 60)});
      REQUIRE_FALSE(admin);
      said.add(admin.error());
    }
    said.add(must(owner.export_registry()));
    must(owner.audit_export({}, [&](std::string_view line) {
      ++records;
      said.add(line);
      return true;
    }));
    const UsageReport report = must(owner.usage({.by = {UsageGroup::key, UsageGroup::endpoint,
                                                        UsageGroup::model, UsageGroup::purpose}}));
    for (const UsageRow& row : report.rows) {
      for (const std::string& group : row.group) said.add(group);
    }
    CHECK(must(owner.audit_verify()).problem.empty());
  }

  /// Files of the store, but for the master key's.
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().extension() != ".key") found.push_back(entry.path().string());
    }
    return found;
  }

  /// How often a secret, or either half of it, is in the text.
  int found_in(const std::string& text) const {
    int found = 0;
    for (const Planted& own : all) {
      const std::string secret = own.customer_key.substr(25, 43);
      for (const std::string& one : {own.upstream_key, own.prompt, own.reply, own.header, secret}) {
        const std::string_view end = std::string_view(one).substr(one.size() - 24);
        for (const std::string_view half : {end.substr(0, 12), end.substr(12)}) {
          found += text.find(half) != std::string::npos ? 1 : 0;
        }
      }
    }
    return found;
  }

  store::ScratchFolder folder;
  std::string store = folder / "byway.db";
  LoopbackServer server{answer, {.keeps_requests = false}};
  RefusingPort refusing;
  Said said;
  std::vector<Planted> all;
  std::optional<Router> router;
  int succeeded = 0;
  int failed = 0;
  int records = 0;
};

}  // namespace

TEST_CASE("fifty planted secrets in a thousand calls of every ending are found nowhere") {
  Canaries rig;
  {
    const Output output(rig.folder / "output.txt");
    for (int at = 0; at < calls; ++at) rig.call(at);
  }
  while (rig.router->health().calls_in_flight > 0) ::usleep(1000);
  const auto look = [&] {
    bool has_control = false;
    for (const std::string& file : rig.files()) {
      INFO(file);
      std::string bytes = store::bytes_of(file);
      // Most of a journal was never written to.
      std::erase(bytes, '\0');
      CHECK(rig.found_in(bytes) == 0);
      has_control = has_control || bytes.find("control-control") != std::string::npos;
    }
    // What is no secret is found: the search works.
    CHECK(has_control);
  };
  look();
  rig.open();
  rig.administer();
  look();
  CHECK(rig.found_in(rig.said.text) == 0);
  CHECK(rig.found_in("x" + rig.all[3].prompt) == 2);
  CHECK(rig.records > calls);
  CHECK(rig.succeeded > 50);
  CHECK(rig.failed > 500);
}

}  // namespace byway::proofs
