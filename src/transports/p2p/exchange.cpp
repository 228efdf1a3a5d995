#include "transports/p2p/exchange.hpp"

#include <atomic>

#include "transports/p2p/bundles.hpp"
#include "transports/p2p/fetcher.hpp"
#include "transports/p2p/server.hpp"
#include "transports/p2p/workers.hpp"

namespace syncline::transports::p2p {

using core::NodeId;

namespace {
// How soon a pace that is paid off, or a source that fell silent, is noticed.
constexpr core::Duration kTickEvery = core::milliseconds(50);
constexpr double kSetupSeconds = 0.005;  // the link is there: a round trip for the piece layer
}  // namespace

struct Exchange::State {
  State(const NodeId& self, const env::Clock& clock, const ExchangeLimits& limits,
        const ExchangePorts& ports, OpenObject open)
      : workers(limits.workers, kTickEvery,
                [this] {
                  fetcher.tick();
                  bundles.tick();
                }),
        server(ports, std::move(open), limits, workers),
        fetcher(self, clock, ports, limits, workers),
        bundles(clock, ports, limits, workers, fetcher) {}

  Workers workers;
  Server server;
  Fetcher fetcher;
  Bundles bundles;
  std::atomic<bool> is_closed{false};
};

Exchange::Exchange(const NodeId& self, const env::Clock& clock, ExchangeLimits limits,
                   ExchangePorts ports, OpenObject open)
    : state_(std::make_unique<State>(self, clock, limits, ports, std::move(open))) {}

Exchange::~Exchange() {
  close();
}

void Exchange::link_up(const NodeId& peer) {
  state_->fetcher.link_up(peer);
}

void Exchange::link_down(const NodeId& peer) {
  state_->server.link_down(peer);
  state_->fetcher.link_down(peer);
  state_->bundles.link_down(peer);  // what goes on alone knows already
}

bool Exchange::on_message(const NodeId& peer, wire::WireMessage& message) {
  State& s = *state_;
  if (auto* data = std::get_if<wire::ObjectData>(&message)) {
    s.fetcher.on_data(peer, std::move(*data));
  } else if (auto* layer = std::get_if<wire::LayerReply>(&message)) {
    s.fetcher.on_layer(peer, std::move(*layer));
  } else if (const auto* refused = std::get_if<wire::ObjectRefused>(&message)) {
    if (!s.bundles.on_refused(*refused)) s.fetcher.on_refused(peer, *refused);
  } else if (auto* bundle = std::get_if<wire::BundleData>(&message)) {
    s.bundles.on_data(peer, std::move(*bundle));
  } else if (auto* bundled = std::get_if<wire::BundleRequest>(&message)) {
    if (!s.is_closed) s.server.on_bundle_request(peer, std::move(*bundled));
  } else if (const auto* wanted = std::get_if<wire::ObjectRequest>(&message)) {
    if (!s.is_closed) s.server.on_request(peer, *wanted);
  } else if (const auto* hashes = std::get_if<wire::LayerRequest>(&message)) {
    if (!s.is_closed) s.server.on_layer_request(peer, *hashes);
  } else if (const auto* pieces = std::get_if<wire::ObjectPieces>(&message)) {
    s.fetcher.on_pieces(peer, *pieces);
  } else if (const auto* cancel = std::get_if<wire::CancelJob>(&message)) {
    s.server.on_cancel(peer, cancel->job);
  } else {
    return false;
  }
  return true;
}

std::optional<wire::WireMessage> Exchange::next_data(const NodeId& peer) {
  if (state_->is_closed) return std::nullopt;
  return state_->server.next_data(peer);
}

std::string Exchange::why_not(const FetchRequest& request) const {
  for (const Source& source : request.sources) {
    if (state_->fetcher.is_linked(source.node)) return {};
  }
  return "no holder of it is linked to this node";
}

double Exchange::setup_seconds() const {
  return kSetupSeconds;
}

void Exchange::fetch(FetchRequest request, FetchCallbacks callbacks) {
  if (state_->bundles.fetch(request, callbacks)) return;
  state_->fetcher.fetch(std::move(request), std::move(callbacks));
}

void Exchange::cancel(std::uint64_t job) {
  state_->bundles.cancel(job);
  state_->fetcher.cancel(job);
}

void Exchange::grant(std::uint64_t job, std::uint64_t bytes) {
  state_->fetcher.grant(job, bytes);
}

void Exchange::close() {
  state_->is_closed = true;
  state_->bundles.close();
  state_->fetcher.close();
  state_->workers.close();
}

}  // namespace syncline::transports::p2p
