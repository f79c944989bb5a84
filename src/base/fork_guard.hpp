// Tells a forked child from its parent, without a system call.
#pragma once

#include <cstdint>

namespace byway::base {

/// Counts the forks between this process and the first one. An object that remembers the value at
/// its birth knows that it was copied into a child when the value differs. *Safe from any thread.*
std::uint32_t fork_generation() noexcept;

}  // namespace byway::base
