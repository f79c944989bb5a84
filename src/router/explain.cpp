// Router::explain: what a call would do, without doing it.
#include <utility>

#include <byway/router.hpp>

#include "router/admission.hpp"
#include "router/core.hpp"
#include "router/limits_left.hpp"
#include "router/plan.hpp"
#include "wire/model_id.hpp"

namespace byway {

Explanation Router::explain(const Request& request) const {
  Explanation explanation;
  Request asked = request;
  const std::string body = R"({"model":""})";
  // A dry run needs no body: the model alone decides.
  if (asked.body.empty() && asked.operation != Operation::models) asked.body = body;
  const auto snapshot = core_->catalog->snapshots().current();
  router::Admitted admitted;
  Result<void> good = router::admit(admitted, core_->options, *snapshot, asked, false,
                                    {.request_id = {}, .dropped = &explanation.dropped});
  if (!good) {
    explanation.provider = good.error().endpoint();
    explanation.refusal = good.error();
    return explanation;
  }
  const registry::Entry& entry = *admitted.entry;
  explanation.org = admitted.org;
  if (admitted.key) explanation.key_id = admitted.key->key.id;
  if (admitted.alias) explanation.alias = admitted.alias->name;
  explanation.provider = entry.provider;
  explanation.endpoint_id = entry.endpoint.id;
  explanation.upstream_model = wire::upstream_of(admitted.model_id);
  explanation.capabilities = entry.endpoint.capabilities;
  explanation.dialect = entry.dialect.name;
  explanation.key_generation = entry.endpoint.key_generation;
  explanation.timeouts =
      router::effective_timeouts(asked.timeouts, entry.timeouts, core_->options.timeouts);
  for (const policy::LimitList* list : {admitted.limits.get(), entry.limits.get()}) {
    if (list == nullptr || list->limits.empty()) continue;
    const auto quota = core_->ledger->quota();
    if (quota) router::add_limits_left(explanation.limits, **quota, *list);
  }
  router::AttemptPlan plan;
  auto planned = router::plan_attempts(plan, core_->options, asked, std::move(admitted), false,
                                       explanation.timeouts);
  if (planned) {
    // Without the query, which may hold what the owner does not want printed.
    explanation.url = plan.target->url.substr(0, plan.target->url.find('?'));
  } else {
    explanation.refusal = planned.error();
  }
  return explanation;
}

}  // namespace byway
