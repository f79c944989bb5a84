// expect: settle must be
// Settling cannot fail: nobody is left to hear of it.
#include <byway/policy.hpp>

struct Rule {
#ifdef BAD
  void settle(const byway::CallState&, const byway::Outcome&) {}
#else
  void settle(const byway::CallState&, const byway::Outcome&) noexcept {}
#endif
};

byway::Policy policy() {
  return Rule();
}
