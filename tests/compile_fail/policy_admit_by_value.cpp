// expect: deleted|admit must be|convert
// A policy sees the call itself, never a copy.
#include <byway/policy.hpp>

struct Rule {
#ifdef BAD
  byway::Verdict admit(byway::CallState) { return byway::Proceed(); }
#else
  byway::Verdict admit(byway::CallState&) { return byway::Proceed(); }
#endif
};

byway::Policy policy() {
  return Rule();
}
