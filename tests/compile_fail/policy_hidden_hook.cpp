// expect: on_event must be
// A hook that is there by name and cannot be called would be silently absent.
#include <byway/policy.hpp>

struct Rule {
  byway::Verdict admit(byway::CallState&) { return byway::Proceed(); }
#ifdef BAD
 private:
#endif
  byway::EventVerdict on_event(byway::CallState&, byway::Event&, byway::Out&) {
    return byway::Forward();
  }
};

byway::Policy policy() {
  return Rule();
}
