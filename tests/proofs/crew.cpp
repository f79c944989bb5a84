#include "proofs/crew.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <byway/router.hpp>

namespace byway::proofs {
namespace {

using Number = std::atomic<std::int64_t>;

constexpr std::size_t word_max = 230;

/// What goes through the pipe.
struct Line {
  std::int64_t number;
  /// 'a' admitted, 'r' refused by a cap, 'n' no room in the audit log, 'f' failed
  char what;
  char word[word_max + 1];
};

Number* map_number(int memory) {
  void* at = ::mmap(nullptr, sizeof(Number), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (at == MAP_FAILED) throw std::runtime_error("no shared memory");
  return static_cast<Number*>(at);
}

void tell(int pipe, std::int64_t number, const Error* error) {
  Line line{};
  line.number = number;
  line.what = 'a';
  if (error != nullptr) {
    line.what = error->code() == ErrorCode::spend_cap_exceeded         ? 'r'
                : error->code() == ErrorCode::policy_audit_unavailable ? 'n'
                                                                       : 'f';
    const std::string& word = error->message();
    std::memcpy(line.word, word.data(), std::min(word.size(), word_max));
  }
  if (::write(pipe, &line, sizeof line) != sizeof line) std::_Exit(6);
}

/// What one process does, from its arguments and its environment.
struct Caller {
  Router router;
  std::string key;
  Number& next;
  int pipe;
  std::int64_t calls;
  std::chrono::milliseconds pause;
  bool is_each;
  bool has_streams;

  /// The call's number is its model, which both the server and the audit log see.
  void call(std::int64_t number) {
    const std::string model = "byo:counting/n-" + std::to_string(number);
    const Request request{.body = R"({"messages":[{"role":"user","content":"x"}]})",
                          .model = model,
                          .key = key};
    if (has_streams && number % 3 == 0) {
      Stream stream = router.stream(request);
      while (stream.next() != nullptr) {
      }
      return tell(pipe, number, stream.error());
    }
    const Result<Response> reply = router.call(request).get();
    tell(pipe, number, reply ? nullptr : &reply.error());
    if (!reply) std::this_thread::sleep_for(pause);
  }
  void work() {
    for (;;) {
      const std::int64_t number = next.fetch_add(1);
      if (number >= calls) return;
      call(number);
      if (is_each) return;
    }
  }
};

}  // namespace

int Crew::called(int argc, char** argv) {
  // PROGRAM PART STORE MEMORY PIPE THREADS CALLS PAUSE EACH STREAMS
  if (argc != 10 || !std::string_view(argv[1]).starts_with("--be-")) return -1;
  auto router = Router::open({.store = argv[2]});
  if (!router) return std::fprintf(stderr, "%s\n", router.error().message().c_str()), 3;
  if (std::string_view(argv[1]) == "--be-idle") ::pause();
  const char* key = std::getenv("BYWAY_PROOF_KEY");
  Caller caller{*router,
                key != nullptr ? key : "",
                *map_number(std::atoi(argv[3])),
                std::atoi(argv[4]),
                std::atoll(argv[6]),
                std::chrono::milliseconds(std::atoi(argv[7])),
                *argv[8] == '1',
                *argv[9] == '1'};
  std::vector<std::thread> threads;
  for (int at = 0; at < std::atoi(argv[5]); ++at) threads.emplace_back([&] { caller.work(); });
  for (std::thread& thread : threads) thread.join();
  return 0;
}

Crew::Crew(Orders orders) : orders_(std::move(orders)) {
  // Not closed in the processes that are started.
  memory_ = ::memfd_create("numbers", 0);
  if (memory_ < 0 || ::ftruncate(memory_, sizeof(Number)) != 0 || ::pipe(ends_) != 0) {
    throw std::runtime_error("no pipe");
  }
  ::fcntl(ends_[0], F_SETFD, FD_CLOEXEC);
  next_ = map_number(memory_);
  ::setenv("BYWAY_PROOF_KEY", orders_.key.c_str(), 1);
  listener_ = std::thread([this] { listen(); });
}

Crew::~Crew() {
  kill_all();
  told();
  ::close(ends_[0]);
  ::close(memory_);
  ::munmap(next_, sizeof(Number));
}

pid_t Crew::spawn(const char* part) const {
  const std::string words[] = {"crew",
                               part,
                               orders_.store,
                               std::to_string(memory_),
                               std::to_string(ends_[1]),
                               std::to_string(orders_.is_each ? 1 : orders_.threads),
                               std::to_string(orders_.calls),
                               std::to_string(orders_.pause.count()),
                               orders_.is_each ? "1" : "0",
                               orders_.has_streams ? "1" : "0"};
  std::array<char*, std::size(words) + 1> arguments{};
  for (std::size_t at = 0; at < std::size(words); ++at) {
    arguments[at] = const_cast<char*>(words[at].c_str());
  }
  pid_t child = 0;
  if (::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ) != 0) {
    throw std::runtime_error("no process");
  }
  return child;
}

void Crew::start() {
  while (running_.size() < static_cast<std::size_t>(orders_.processes)) {
    running_.push_back(spawn("--be-caller"));
  }
}

void Crew::start_idle() {
  idle_ = spawn("--be-idle");
}

bool Crew::kill_one(std::minstd_rand& random) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (tried() == tried_at_kill_ && !has_tried_all()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  tried_at_kill_ = tried();
  pid_t& chosen = running_[random() % running_.size()];
  ::kill(chosen, SIGKILL);
  ::waitpid(chosen, nullptr, 0);
  ++kills_;
  chosen = spawn("--be-caller");
  return true;
}

bool Crew::finish() {
  bool is_good = true;
  do {
    start();
    for (const pid_t child : running_) {
      int status = 0;
      ::waitpid(child, &status, 0);
      is_good = is_good && status == 0;
    }
    running_.clear();
  } while (is_good && !has_tried_all());
  kill_all();
  return is_good;
}

void Crew::kill_all() {
  if (idle_ != 0) running_.push_back(std::exchange(idle_, 0));
  for (const pid_t child : running_) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  running_.clear();
}

const Told& Crew::told() {
  // The listener reads to the end of what is left, once nobody can write any more.
  if (listener_.joinable()) {
    ::close(ends_[1]);
    listener_.join();
  }
  return told_;
}

void Crew::listen() {
  Line line{};
  while (::read(ends_[0], &line, sizeof line) == sizeof line) {
    auto& counted = line.what == 'a'   ? told_.admitted
                    : line.what == 'r' ? told_.refused
                    : line.what == 'n' ? told_.no_room
                                       : told_.failed;
    ++counted[line.number];
    if (line.what == 'f' && told_.first_failure.empty()) told_.first_failure = line.word;
  }
}

}  // namespace byway::proofs
