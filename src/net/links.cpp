#include "net/links.hpp"

#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "net/congestion.hpp"
#include "net/connection.hpp"

namespace syncline::net {

using asio::ip::tcp;
using core::NodeId;

struct Links::State : std::enable_shared_from_this<Links::State> {
  State(asio::io_context& i, core::Hello h, NodeId s, LinkLimits l, LinkCallbacks c)
      : io(i), hello(std::move(h)), self(std::move(s)), limits(l), callbacks(std::move(c)) {}

  asio::io_context& io;
  asio::ssl::context server{asio::ssl::context::tls_server};
  asio::ssl::context client{asio::ssl::context::tls_client};
  core::Hello hello;
  NodeId self;
  LinkLimits limits;
  LinkCallbacks callbacks;
  std::unique_ptr<tcp::acceptor> acceptor;
  std::map<NodeId, ConnectionPtr> links;
  std::set<ConnectionPtr> strangers;
  std::map<NodeId, std::shared_ptr<Traffic>> traffic;  // as many as peers were ever linked
  bool is_shut = false;
  // What other threads may ask: is there a link at all?
  std::mutex mutex;
  std::set<NodeId> linked;

  ConnectionOwner owner();
  void accept();
  void opened(const ConnectionPtr& connection);
  void received(const ConnectionPtr& connection, wire::WireMessage message);
  void greeted(const ConnectionPtr& connection, const core::Hello& theirs);
  void closed(const ConnectionPtr& connection, const std::string& reason);
  bool prefers(const ConnectionPtr& fresh, const ConnectionPtr& old) const;
  void send_now(const NodeId& peer, wire::WireMessage message);
  void connect(const ConnectionPtr& connection, std::deque<tcp::endpoint> to,
               std::function<void(const std::error_code&)> done);
};

ConnectionOwner Links::State::owner() {
  auto state = shared_from_this();
  ConnectionOwner out;
  out.on_open = [state](const ConnectionPtr& c) { state->opened(c); };
  out.on_message = [state](const ConnectionPtr& c, wire::WireMessage m) {
    state->received(c, std::move(m));
  };
  out.on_closed = [state](const ConnectionPtr& c, const std::string& reason) {
    state->closed(c, reason);
  };
  out.is_invited = callbacks.is_invited;
  out.next_data = [state](const ConnectionPtr& c) -> std::optional<wire::WireMessage> {
    auto link = state->links.find(c->peer());
    if (link == state->links.end() || link->second != c || !state->callbacks.next_data) {
      return std::nullopt;
    }
    return state->callbacks.next_data(c->peer());
  };
  return out;
}

void Links::State::accept() {
  auto state = shared_from_this();
  auto connection = std::make_shared<Connection>(io, server, limits, owner());
  acceptor->async_accept(connection->socket(), [state, connection](const std::error_code& error) {
    if (state->is_shut) return;
    if (!error) {
      if (state->strangers.size() < state->limits.strangers_max) {
        state->strangers.insert(connection);
        connection->start(false);
      }  // else: dropped; whoever is honest dials again
    }
    state->accept();
  });
}

void Links::State::opened(const ConnectionPtr& connection) {
  if (connection->is_joiner()) return;  // it speaks first
  auto frame = wire::encode_frame(core::Message(hello));
  if (frame.ok()) connection->send(std::move(frame).value());
}

void Links::State::received(const ConnectionPtr& connection, wire::WireMessage message) {
  if (connection->is_joiner()) {
    wire::JoinAnswer answer;
    if (const auto* request = std::get_if<wire::JoinRequest>(&message)) {
      auto joined = callbacks.on_join(connection->joiner_key(), request->request);
      answer.is_accepted = joined.ok();
      if (joined.ok()) {
        answer.answer = std::move(joined).value();
      } else {
        answer.reason = core::to_string(joined.error());
      }
    }
    auto frame = wire::encode_frame(std::move(answer));
    if (frame.ok()) connection->send(std::move(frame).value());
    connection->close_when_sent();
    return;
  }
  if (const auto* control = std::get_if<core::Message>(&message)) {
    if (const auto* theirs = std::get_if<core::Hello>(control)) {
      greeted(connection, *theirs);
      return;
    }
  }
  auto link = links.find(connection->peer());
  if (link == links.end() || link->second != connection) return;  // before its hello, or replaced
  callbacks.on_message(connection->peer(), std::move(message));
}

// Both ends may dial at once; both must keep the same connection: the one dialled by the smaller
// id. A second one from the same dialler means that it has given up the first.
bool Links::State::prefers(const ConnectionPtr& fresh, const ConnectionPtr& old) const {
  const NodeId& fresh_dialler = fresh->is_dialler() ? self : fresh->peer();
  const NodeId& old_dialler = old->is_dialler() ? self : old->peer();
  return fresh_dialler <= old_dialler;
}

void Links::State::greeted(const ConnectionPtr& connection, const core::Hello& theirs) {
  const NodeId peer = connection->peer();
  std::string refusal;
  if (theirs.fleet != hello.fleet) refusal = "it belongs to another fleet";
  if (peer == self) refusal = "it is this node itself";
  if (theirs.protocol_min > hello.protocol_max || theirs.protocol_max < hello.protocol_min) {
    refusal = "it speaks another protocol: upgrade the older of the two";
  }
  if (!refusal.empty()) {
    connection->close(refusal);
    return;
  }
  auto old = links.find(peer);
  if (old != links.end() && old->second == connection) return;  // a second hello says nothing new
  if (old != links.end()) {
    if (!prefers(connection, old->second)) {
      connection->close("there is a connection already");
      return;
    }
    const ConnectionPtr replaced = old->second;
    replaced->close("replaced by a newer connection");
  }
  strangers.erase(connection);
  links[peer] = connection;
  {
    const std::lock_guard lock(mutex);
    linked.insert(peer);
  }
  auto& traffic_of_peer = traffic[peer];
  if (!traffic_of_peer) traffic_of_peer = std::make_shared<Traffic>();
  connection->traffic = traffic_of_peer;
  connection->hello_done();
  callbacks.on_up(peer, theirs, connection->address);
}

void Links::State::closed(const ConnectionPtr& connection, const std::string& reason) {
  strangers.erase(connection);
  auto link = links.find(connection->peer());
  if (link != links.end() && link->second == connection) {
    const NodeId peer = connection->peer();
    links.erase(link);
    {
      const std::lock_guard lock(mutex);
      linked.erase(peer);
    }
    if (!is_shut) callbacks.on_down(peer, reason);
    return;
  }
  if (connection->is_dialler() && !is_shut) {
    callbacks.on_dial_failed(connection->address, reason);
  }
}

void Links::State::send_now(const NodeId& peer, wire::WireMessage message) {
  auto link = links.find(peer);
  if (link == links.end()) return;
  const ConnectionPtr connection = link->second;
  if (connection->queued_bytes() > limits.queued_bytes_max) {
    connection->close("it does not keep up: " + std::to_string(connection->queued_bytes() >> 20) +
                      " MiB were waiting");
    return;
  }
  auto frame = wire::encode_frame(std::move(message));
  if (frame.ok()) connection->send(std::move(frame).value());
}

std::map<NodeId, Traffic> Links::traffic() const {
  std::map<NodeId, Traffic> out;
  for (const auto& [peer, traffic] : state_->traffic) out[peer] = *traffic;
  return out;
}

Links::Links(std::shared_ptr<State> state) : state_(std::move(state)) {}
Links::~Links() {
  shutdown();
}

core::Result<std::unique_ptr<Links>> Links::create(asio::io_context& io,
                                                   const TlsIdentity& identity, core::Hello hello,
                                                   NodeId self, LinkLimits limits,
                                                   LinkCallbacks callbacks) {
  auto state =
      std::make_shared<State>(io, std::move(hello), std::move(self), limits, std::move(callbacks));
  SYNCLINE_TRY(set_up(state->server, identity));
  SYNCLINE_TRY(set_up(state->client, identity));
  return std::unique_ptr<Links>(new Links(std::move(state)));
}

core::Status Links::listen(const std::string& host_port) {
  SYNCLINE_ASSIGN(const HostPort at, parse_host_port(host_port));
  std::error_code error;
  tcp::resolver resolver(state_->io);
  const auto found = resolver.resolve(at.host, at.port, tcp::resolver::passive, error);
  auto failed = [&] {
    return core::Error{
        core::ErrorKind::kConflict,
        "cannot listen there: " + error.message() + "; node.peer_listen names another address",
        host_port};
  };
  if (error) return failed();
  state_->acceptor = std::make_unique<tcp::acceptor>(state_->io);
  tcp::acceptor& acceptor = *state_->acceptor;
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor.open(endpoint.protocol(), error);
  if (!error) begin_without_pacing(acceptor.native_handle());  // what it accepts inherits that
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed();
  state_->accept();
  return {};
}

std::uint16_t Links::port() const {
  return state_->acceptor ? state_->acceptor->local_endpoint().port() : std::uint16_t{0};
}

void Links::dial(const std::string& host_port, const NodeId&) {
  auto state = state_;
  const auto at = parse_host_port(host_port);
  if (!at.ok()) {
    state->callbacks.on_dial_failed(host_port, core::to_string(at.error()));
    return;
  }
  auto connection =
      std::make_shared<Connection>(state->io, state->client, state->limits, state->owner());
  connection->address = host_port;
  auto resolver = std::make_shared<tcp::resolver>(state->io);
  auto timer = std::make_shared<asio::steady_timer>(state->io, state->limits.connect_timeout);
  auto is_settled = std::make_shared<bool>(false);
  auto fail = [state, host_port, is_settled](const std::string& reason) {
    if (std::exchange(*is_settled, true) || state->is_shut) return;
    state->callbacks.on_dial_failed(host_port, reason);
  };
  timer->async_wait([connection, resolver, fail](const std::error_code& error) {
    if (error) return;
    fail("no answer in time");
    resolver->cancel();
    std::error_code ignored;
    connection->socket().close(ignored);
  });
  resolver->async_resolve(
      at->host, at->port,
      [=](const std::error_code& error, const tcp::resolver::results_type& found) {
        if (error) {
          timer->cancel();
          fail(error.message());
          return;
        }
        if (found.empty() || *is_settled) return;
        state->connect(connection, {found.begin(), found.end()},
                       [=](const std::error_code& failed) {
                         timer->cancel();
                         if (failed) {
                           fail(failed.message());
                           return;
                         }
                         if (std::exchange(*is_settled, true) || state->is_shut) return;
                         state->strangers.insert(connection);
                         connection->start(true);
                       });
      });
}

// All of a name's addresses in turn: "localhost" may be ::1 first, and nobody listens there.
void Links::State::connect(const ConnectionPtr& connection, std::deque<tcp::endpoint> to,
                           std::function<void(const std::error_code&)> done) {
  const tcp::endpoint next = to.front();
  to.pop_front();
  auto tried = [state = shared_from_this(), connection, to = std::move(to),
                done](const std::error_code& error) {
    const bool is_over = !error || error == asio::error::operation_aborted || to.empty();
    is_over ? done(error) : state->connect(connection, to, done);
  };
  std::error_code error;
  tcp::socket& socket = connection->socket();
  if (socket.is_open()) socket.close(error);
  socket.open(next.protocol(), error);
  if (error) {
    asio::post(io, [tried = std::move(tried), error] { tried(error); });
    return;
  }
  begin_without_pacing(socket.native_handle());
  socket.async_connect(next, std::move(tried));
}

bool Links::send(const NodeId& peer, wire::WireMessage message) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->linked.count(peer) == 0) return false;
  }
  auto state = state_;
  asio::dispatch(state->io, [state, peer, message = std::move(message)]() mutable {
    state->send_now(peer, std::move(message));
  });
  return true;
}

void Links::data_ready(const NodeId& peer) {
  auto state = state_;
  asio::dispatch(state->io, [state, peer] {
    auto link = state->links.find(peer);
    if (link != state->links.end()) link->second->pump_data();
  });
}

void Links::close(const NodeId& peer, const std::string& reason) {
  auto link = state_->links.find(peer);
  if (link == state_->links.end()) return;
  const ConnectionPtr connection = link->second;
  connection->close(reason);
}

void Links::shutdown() {
  state_->is_shut = true;
  std::error_code ignored;
  if (state_->acceptor) state_->acceptor->close(ignored);
  const auto links = state_->links;
  for (const auto& [peer, connection] : links) connection->close("this node stops");
  const auto strangers = state_->strangers;
  for (const ConnectionPtr& connection : strangers) connection->close("this node stops");
}

}  // namespace syncline::net
