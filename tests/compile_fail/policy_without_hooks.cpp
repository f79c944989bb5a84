// expect: at least one of admit
// A misspelt hook makes a policy that does nothing.
#include <byway/policy.hpp>

struct Rule {
#ifdef BAD
  byway::Verdict admits(byway::CallState&) { return byway::Proceed(); }
#else
  byway::Verdict admit(byway::CallState&) { return byway::Proceed(); }
#endif
};

byway::Policy policy() {
  return Rule();
}
