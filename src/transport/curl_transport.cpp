#include "transport/curl_transport.hpp"

#include <utility>

#include "transport/curl_global.hpp"

namespace byway::transport {
namespace {

/// Handles kept per target between requests; more are freed.
constexpr std::size_t idle_handles_max = 1024;

}  // namespace

Result<std::unique_ptr<CurlTransport>> CurlTransport::create() {
  if (auto ready = initialise_curl(); !ready) return ready.error();
  return std::unique_ptr<CurlTransport>(new CurlTransport());
}

CurlTransport::~CurlTransport() {
  close();
}

void CurlTransport::attach(Loop& loop) {
  loop_ = static_cast<EventLoop*>(&loop);
  loop_->add_turn_end(*this);
}

void CurlTransport::close() {
  if (loop_ == nullptr) return;
  loop_->remove_turn_end(*this);
  for (const auto& transfer : slots_) {
    if (transfer && transfer->is_running()) transfer->cancel();
  }
  slots_.clear();  // before the pools, whose connections close last
  targets_.clear();
  driven_.clear();
  pools_.clear();
  loop_ = nullptr;
}

TransferId CurlTransport::start(const TransferRequest& request, TransferSink& sink) {
  PreparedTarget* prepared = prepare(request.target);
  if (prepared == nullptr) return refuse(sink, TransferFault::tls_failed), 0;
  CurlTransfer* transfer = transfer_for(*prepared);
  if (transfer == nullptr) return refuse(sink, TransferFault::out_of_memory), 0;
  ++prepared->busy;
  if (!transfer->start(request, sink)) {
    take_back(*transfer);
    return refuse(sink, TransferFault::internal), 0;
  }
  return transfer->id();
}

void CurlTransport::refuse(TransferSink& sink, TransferFault fault) {
  // Nothing may come from inside start(). A call that is refused here cannot be cancelled any more,
  // which is why its sink lives until it has heard of the end.
  loop_->post([&sink, fault] { sink.on_end(TransferEnd{fault, Sent::no, 0, ""}); });
}

PreparedTarget* CurlTransport::prepare(const std::shared_ptr<const Target>& target) {
  const auto found = targets_.find(target.get());
  if (found != targets_.end()) return found->second.get();
  needs_sweep_ = true;
  auto prepared = std::make_unique<PreparedTarget>();
  prepared->target = target;
  prepared->is_tls = target->url.starts_with("https:");
  prepared->url.reset(curl_url());
  if (!prepared->url) return nullptr;
  if (curl_url_set(prepared->url.get(), CURLUPART_URL, target->url.c_str(), 0) != CURLUE_OK)
    return nullptr;
  if (prepared->is_tls) {
    auto trust = TrustStore::load(target->ca_file);
    if (!trust) return nullptr;
    prepared->trust = *std::move(trust);
  }
  prepared->pool = pool_of(target->pool);
  if (!prepared->pool) return nullptr;
  return targets_.emplace(target.get(), std::move(prepared)).first->second.get();
}

std::shared_ptr<CurlPool> CurlTransport::pool_of(const std::string& key) {
  std::shared_ptr<CurlPool>& pool = pools_[key];
  if (!pool) pool = std::make_shared<CurlPool>(*loop_);
  if (!pool->is_usable()) pools_.erase(key);
  return pool && pool->is_usable() ? pool : nullptr;
}

void CurlTransport::free_idle(PreparedTarget& prepared, std::size_t kept) {
  while (prepared.idle.size() > kept) {
    const TransferId slot = prepared.idle.back()->slot();
    prepared.idle.pop_back();
    free_slots_.push_back(slot);
    slots_[static_cast<std::size_t>(slot)].reset();
  }
}

/// Drops what belongs to targets that nobody else knows any more: changed or removed endpoints.
void CurlTransport::sweep() {
  for (auto it = targets_.begin(); it != targets_.end();) {
    PreparedTarget& prepared = *it->second;
    const bool is_known = prepared.busy > 0 || prepared.target.use_count() > 1;
    free_idle(prepared, is_known ? idle_handles_max : 0);
    it = is_known ? std::next(it) : targets_.erase(it);
  }
  std::erase_if(pools_, [](const auto& pool) { return pool.second.use_count() == 1; });
}

CurlTransfer* CurlTransport::transfer_for(PreparedTarget& prepared) {
  if (!prepared.idle.empty()) {
    CurlTransfer* transfer = prepared.idle.back();
    prepared.idle.pop_back();
    return transfer;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const TransferId slot = free_slots_.back();
  auto transfer = std::make_unique<CurlTransfer>(prepared, *this, slot);
  if (!transfer->is_usable()) return nullptr;
  free_slots_.pop_back();
  auto& place = slots_[static_cast<std::size_t>(slot)];
  place = std::move(transfer);
  return place.get();
}

void CurlTransport::take_back(CurlTransfer& transfer) noexcept {
  PreparedTarget& prepared = transfer.prepared();
  --prepared.busy;
  // Never freed here: libcurl, or the transfer itself, may still be on the stack.
  prepared.idle.push_back(&transfer);
  needs_sweep_ |= prepared.idle.size() > idle_handles_max;
}

CurlTransfer* CurlTransport::running(TransferId id) noexcept {
  const auto slot = static_cast<std::size_t>(id & 0xFFFFFFFFU);
  if (slot >= slots_.size() || !slots_[slot]) return nullptr;
  CurlTransfer& transfer = *slots_[slot];
  return transfer.id() == id && transfer.is_running() ? &transfer : nullptr;
}

void CurlTransport::resume(TransferId id) {
  if (CurlTransfer* transfer = running(id)) transfer->resume();
}

void CurlTransport::cancel(TransferId id) {
  if (CurlTransfer* transfer = running(id)) transfer->cancel();
}

bool CurlTransport::on_turn_end() noexcept {
  // Nothing of libcurl and no transfer is on the stack here, so things may be freed.
  if (std::exchange(needs_sweep_, false)) sweep();
  // Driving starts new calls, which may add pools.
  driven_.clear();
  for (const auto& [key, pool] : pools_) {
    if (pool->is_due()) driven_.push_back(pool);
  }
  for (const auto& pool : driven_) pool->drive();
  driven_.clear();
  bool again = needs_sweep_;
  for (const auto& [key, pool] : pools_) again |= pool->is_due();
  return again;
}

}  // namespace byway::transport
