// Where a test may stop the world: before each step that other processes can see.
#pragma once

namespace byway::policy {

#ifdef BYWAY_QUOTA_STEPS
/// Defined by the test that builds the quota sources with BYWAY_QUOTA_STEPS.
void step();
#else
inline void step() noexcept {}
#endif

}  // namespace byway::policy
