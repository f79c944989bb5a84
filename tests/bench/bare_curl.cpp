// The yardstick: the same requests by a bare libcurl multi loop, with the settings that a careful
// user finds: multi_socket over epoll with lazy registration, reused easy handles, NOSIGNAL, no
// proxy, warm connections.
#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bench/load.hpp"

namespace {

using byway::bench::Options;

struct Transfer {
  CURL* easy = nullptr;
  std::string body;
};

class Loop {
 public:
  Loop(const Options& options, long total)
      : options_(options), left_(total), epoll_(epoll_create1(0)) {
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 65536L);
    request_ = byway::bench::request_body("m-1", options.is_stream(), true);
    headers_ = curl_slist_append(headers_, "Content-Type: application/json");
    headers_ = curl_slist_append(headers_, byway::bench::bearer);
    headers_ = curl_slist_append(
        headers_, options.is_stream() ? "Accept: text/event-stream" : "Accept: application/json");
    headers_ = curl_slist_append(headers_, "Expect:");
  }

  /// Ends when `total` transfers have ended; in idle mode when all streams have had their first
  /// bytes.
  void run() {
    transfers_.resize(static_cast<std::size_t>(options_.in_flight));
    for (Transfer& transfer : transfers_) {
      prepare(transfer);
      start(transfer);
    }
    while (running_ > 0 && !(options_.mode == "idle" && started_bodies_ == options_.in_flight))
      turn(timeout_);
  }
  /// One wait of at most `ms`.
  void turn(long ms) {
    std::array<epoll_event, 512> events;
    const int count = epoll_wait(epoll_, events.data(), 512, static_cast<int>(ms));
    int running = 0;
    if (count == 0 || timeout_ == 0) {
      timeout_ = -1;
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
  long events() const { return events_; }

 private:
  void prepare(Transfer& transfer) {
    CURL* easy = transfer.easy = curl_easy_init();
    const std::string url = options_.base_url() + "/chat/completions";
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.data());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, options_.is_stream() ? &on_events : &on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    loop_ = this;
  }

  void start(Transfer& transfer) {
    if (left_ <= 0) return;
    --left_;
    ++running_;
    transfer.body.clear();
    curl_multi_add_handle(multi_, transfer.easy);
  }

  void reap() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      void* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      if (message->data.result != CURLE_OK) std::exit(3);
      curl_multi_remove_handle(multi_, message->easy_handle);
      --running_;
      start(*static_cast<Transfer*>(owner));
    }
  }

  static std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* transfer) {
    static_cast<Transfer*>(transfer)->body.append(bytes, size * count);
    return size * count;
  }
  /// Finds the ends of events and looks at nothing else.
  static std::size_t on_events(char* bytes, std::size_t size, std::size_t count, void* transfer) {
    std::string& body = static_cast<Transfer*>(transfer)->body;
    if (body.empty()) ++loop_->started_bodies_;
    body.append(bytes, size * count);
    std::size_t begin = 0;
    for (std::size_t end; (end = body.find("\n\n", begin)) != std::string::npos; begin = end + 2)
      ++loop_->events_;
    body.erase(0, begin);
    if (body.empty()) body.push_back('\n');
    return size * count;
  }

  static int on_timer(CURLM*, long ms, void* self) {
    static_cast<Loop*>(self)->timeout_ = ms;
    return 0;
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    auto& loop = *static_cast<Loop*>(self);
    const auto index = static_cast<std::size_t>(fd);
    if (index >= loop.registered_.size()) loop.registered_.resize(index + 1, 0);
    // An idle connection stays registered: that saves two system calls a request.
    if (what == CURL_POLL_REMOVE) return 0;
    std::uint32_t wanted = 0;
    if ((what & CURL_POLL_IN) != 0) wanted |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) wanted |= EPOLLOUT;
    if (loop.registered_[index] == wanted) return 0;
    epoll_event event{};
    event.events = wanted;
    event.data.fd = fd;
    if (epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, fd, &event) != 0)
      epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event);
    loop.registered_[index] = wanted;
    return 0;
  }

  static inline Loop* loop_ = nullptr;
  const Options& options_;
  long left_;
  long running_ = 0;
  long timeout_ = -1;
  long events_ = 0;
  int started_bodies_ = 0;
  int epoll_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string request_;
  std::vector<Transfer> transfers_;
  std::vector<std::uint32_t> registered_;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Loop loop(options, options.mode == "idle" ? options.in_flight : options.total);
  byway::bench::Meter meter;
  loop.run();
  if (options.mode == "idle") {
    meter.start();
    while (meter.wall_seconds() < 5) loop.turn(1000);
    std::printf(
        "{\"name\":\"bare_curl\",\"mode\":\"idle\",\"in_flight\":%d,\"idle_cpu_percent\":%.3f,"
        "\"rss_kb\":%ld}\n",
        options.in_flight, meter.cpu_seconds() / meter.wall_seconds() * 100,
        byway::bench::Meter::rss_kb());
    return 0;
  }
  const auto units =
      options.is_stream() ? static_cast<double>(loop.events()) : static_cast<double>(options.total);
  meter.print("bare_curl", options, units);
}
