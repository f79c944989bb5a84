// The yardstick: the same requests by a bare libcurl multi loop, with the settings that a careful
// user finds: multi_socket over epoll, registrations kept while a connection idles, easy handles
// used again, no signals, no proxy, a parsed URL, warm connections.
#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/meter.hpp"

namespace byway::bench {
namespace {

class Load;

struct Transfer {
  CURL* easy = nullptr;
  Load* load = nullptr;
  std::string body = {};
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), epoll_(::epoll_create1(0)), url_(curl_url()), multi_(curl_multi_init()) {
    const std::string url = options.base_url() + "/chat/completions";
    curl_url_set(url_, CURLUPART_URL, url.c_str(), 0);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 65536L);
    const std::string bearer = std::string("Authorization: Bearer ") + upstream_key;
    headers_ = curl_slist_append(headers_, "Content-Type: application/json");
    headers_ = curl_slist_append(headers_, bearer.c_str());
    headers_ = curl_slist_append(headers_, "Expect:");
    transfers_.resize(static_cast<std::size_t>(options.in_flight));
  }

  /// Returns when `total` transfers have ended.
  void run(long total) {
    left_ = total;
    for (Transfer& transfer : transfers_) start(transfer);
    while (running_ > 0) turn(-1);
  }

  /// Starts one more of the transfers, which stay.
  void add_one() {
    left_ = 1;
    start(transfers_[static_cast<std::size_t>(added_++)]);
  }

  /// One wait of at most `wait_ms`, and the work it brings.
  void turn(int wait_ms) {
    std::array<epoll_event, 512> events;
    const bool has_timer = timeout_ms_ >= 0 && (wait_ms < 0 || timeout_ms_ <= wait_ms);
    const int wait = has_timer ? static_cast<int>(timeout_ms_) : wait_ms;
    const int count = ::epoll_wait(epoll_, events.data(), 512, wait);
    int running = 0;
    if (has_timer && (count == 0 || wait == 0)) {
      timeout_ms_ = -1;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      int mask = 0;
      if ((event.events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
      if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
      curl_multi_socket_action(multi_, event.data.fd, mask, &running);
    }
    reap();
  }

  long events() const noexcept { return events_; }

 private:
  void prepare(Transfer& transfer) {
    CURL* easy = transfer.easy = curl_easy_init();
    transfer.load = this;
    curl_easy_setopt(easy, CURLOPT_CURLU, url_);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.data());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, options_.is_stream() ? &on_events : &on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  }

  void start(Transfer& transfer) {
    if (left_ <= 0) return;
    if (transfer.easy == nullptr) prepare(transfer);
    --left_;
    ++running_;
    transfer.body.clear();
    if (curl_multi_add_handle(multi_, transfer.easy) != CURLM_OK) fail("curl_multi_add_handle");
  }

  void reap() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      void* owner = nullptr;
      long status = 0;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      if (message->data.result != CURLE_OK || status != 200) fail("a transfer");
      curl_multi_remove_handle(multi_, message->easy_handle);
      --running_;
      start(*static_cast<Transfer*>(owner));
    }
  }

  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t size, void* transfer) {
    static_cast<Transfer*>(transfer)->body.append(bytes, size);
    return size;
  }
  /// Finds the ends of events and looks at nothing else.
  static std::size_t on_events(char* bytes, std::size_t, std::size_t size, void* owner) {
    auto& transfer = *static_cast<Transfer*>(owner);
    std::string& body = transfer.body;
    body.append(bytes, size);
    std::size_t begin = 0;
    for (std::size_t end; (end = body.find("\n\n", begin)) != std::string::npos; begin = end + 2)
      ++transfer.load->events_;
    body.erase(0, begin);
    return size;
  }

  static int on_timer(CURLM*, long timeout_ms, void* self) {
    static_cast<Load*>(self)->timeout_ms_ = timeout_ms;
    return 0;
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    auto& load = *static_cast<Load*>(self);
    const auto index = static_cast<std::size_t>(fd);
    if (index >= load.registered_.size()) load.registered_.resize(index + 1, 0);
    // An idle connection stays registered: that saves two system calls a request.
    if (what == CURL_POLL_REMOVE) return 0;
    std::uint32_t wanted = 0;
    if ((what & CURL_POLL_IN) != 0) wanted |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) wanted |= EPOLLOUT;
    if (load.registered_[index] == wanted) return 0;
    epoll_event event{};
    event.events = wanted;
    event.data.fd = fd;
    const int how = load.registered_[index] == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (::epoll_ctl(load.epoll_, how, fd, &event) != 0) fail("epoll_ctl");
    load.registered_[index] = wanted;
    return 0;
  }

  static int on_close(void* self, curl_socket_t fd) {
    auto& registered = static_cast<Load*>(self)->registered_;
    if (static_cast<std::size_t>(fd) < registered.size())
      registered[static_cast<std::size_t>(fd)] = 0;
    return ::close(fd);
  }

  const Options& options_;
  const int epoll_;
  const std::string request_ = request_body("m-1", options_.is_stream());
  CURLU* url_;
  CURLM* multi_;
  curl_slist* headers_ = nullptr;
  long left_ = 0;
  long running_ = 0;
  long added_ = 0;
  long timeout_ms_ = -1;
  long events_ = 0;
  std::vector<Transfer> transfers_ = {};
  std::vector<std::uint32_t> registered_ = {};
};

/// At most this many connections are being opened at once.
constexpr long opening_max = 256;

Standing stand(const Options& options) {
  Load load(options);
  Standing result;
  Meter meter;
  const long before = resident_kb();
  for (long added = 0; added < options.in_flight;) {
    for (long i = 0; i < opening_max && added < options.in_flight; ++i, ++added) load.add_one();
    const auto is_open = [&] {
      return options.mode == Mode::idle ? load.events() >= added : held_at(options.port) >= added;
    };
    while (!is_open()) load.turn(5);
  }
  const auto each = 1.0 / options.in_flight;
  result.open_us_each = meter.cpu_seconds() * 1e6 * each;
  result.kb_each = static_cast<double>(resident_kb() - before) * each;
  if (options.mode == Mode::held) return result;
  for (meter.start(); meter.seconds() < 5;) load.turn(1000);
  result.idle_cpu_percent = meter.cpu_seconds() / meter.seconds() * 100;
  const long wanted = load.events() + options.in_flight;
  meter.start();
  ask(options.port, "/wake");
  while (load.events() < wanted) load.turn(100);
  result.wake_us_each = meter.cpu_seconds() * 1e6 * each;
  return result;
}

}  // namespace
}  // namespace byway::bench

int main(int argc, char** argv) {
  using namespace byway::bench;
  const Options options(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (options.mode == Mode::idle || options.mode == Mode::held) {
    stand(options).print("bare", options);
    return 0;
  }
  Load load(options);
  load.run(options.warm_up());
  Meter meter;
  load.run(options.total);
  if (options.is_stream() && load.events() < options.units()) fail("events are missing");
  meter.print("bare", options, options.units());
}
