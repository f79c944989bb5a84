#include "cli/interrupt.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace byway::cli {

Interrupt::Interrupt(std::function<void()> on_interrupt) : on_interrupt_(std::move(on_interrupt)) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &wanted, &before_);
  signals_ = ::signalfd(-1, &wanted, SFD_CLOEXEC);
  ending_ = ::eventfd(0, EFD_CLOEXEC);
  watcher_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(ending_, &one, sizeof one));
  watcher_.join();
  ::close(signals_);
  ::close(ending_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupt::watch() {
  pollfd watched[] = {{signals_, POLLIN, 0}, {ending_, POLLIN, 0}};
  while (::poll(watched, 2, -1) >= 0 && (watched[1].revents & POLLIN) == 0) {
    signalfd_siginfo received{};
    if (::read(signals_, &received, sizeof received) != sizeof received) return;
    if (signal_ != 0) ::_exit(exit_code());
    signal_ = static_cast<int>(received.ssi_signo);
    on_interrupt_();
  }
}

}  // namespace byway::cli
