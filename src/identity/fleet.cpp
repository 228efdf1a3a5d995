#include "identity/fleet.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "core/bytes.hpp"
#include "env/entropy.hpp"
#include "env/files.hpp"
#include "identity/x509.hpp"

namespace syncline::identity {

using core::Error;
using core::ErrorKind;
using core::Status;

namespace {

constexpr std::size_t kPemBytesMax = 64 * 1024;
constexpr std::size_t kMessageBytesMax = 64 * 1024;
using core::kFleetKeyBytes;
constexpr std::size_t kFleetKeysMax = 8;
constexpr std::size_t kRolesMax = 32;

std::string folder(const std::string& state_dir) {
  return state_dir + "/identity";
}

Status save(const std::string& dir, const Identity& identity) {
  SYNCLINE_TRY(env::make_folders(dir, 0700));
  SYNCLINE_TRY(env::write_file_atomic(dir + "/ca.pem", identity.ca_pem, 0644));
  SYNCLINE_TRY(env::write_file_atomic(dir + "/fleet.name", identity.fleet, 0644));
  SYNCLINE_TRY(env::write_file_atomic(dir + "/fleet-key", identity.fleet_key, 0600));
  SYNCLINE_TRY(env::write_file_atomic(dir + "/node-key.pem", identity.key_pem, 0600));
  // Last: an identity is there when its certificate is.
  return env::write_file_atomic(dir + "/node.pem", identity.certificate_pem, 0644);
}

Status refuse_existing(const std::string& dir) {
  if (!env::exists(dir + "/node.pem")) return {};
  return Error{ErrorKind::kConflict,
               "this state folder belongs to a fleet already; choose another --dir, or remove it "
               "if its data may go",
               dir};
}

core::Result<std::string> read_secret(const std::string& path) {
  SYNCLINE_ASSIGN(const unsigned mode, env::mode_of(path));
  if ((mode & 077) != 0) {
    return Error{ErrorKind::kInvalid, "others can read this key: chmod 600 it", path};
  }
  return env::read_file(path, kPemBytesMax);
}

core::Result<KeyPair> load_authority(const std::string& dir) {
  if (!env::exists(dir + "/ca-key.pem")) {
    return Error{ErrorKind::kMissing,
                 "the fleet's key is not on this node: invite from the one that ran `syncline "
                 "init`",
                 dir};
  }
  SYNCLINE_ASSIGN(const std::string key, read_secret(dir + "/ca-key.pem"));
  SYNCLINE_ASSIGN(const std::string certificate, env::read_file(dir + "/ca.pem", kPemBytesMax));
  return KeyPair{certificate, key};
}

std::string invite_path(const std::string& state_dir, const core::Digest256& public_key) {
  return folder(state_dir) + "/invites/" + to_hex(public_key);
}

struct Invite {
  std::int64_t expires_at_s = 0;
  std::vector<std::string> roles;
  std::vector<std::string> addresses;
};

void write_list(core::ByteWriter& out, const std::vector<std::string>& list) {
  out.varint(list.size());
  for (const std::string& item : list) out.text(item);
}
bool read_list(core::ByteReader& in, std::vector<std::string>& list) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > kRolesMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) list.emplace_back(in.text(512));
  return in.ok();
}

core::Result<Invite> read_invite(const std::string& path) {
  SYNCLINE_ASSIGN(const std::string bytes, env::read_file(path, kMessageBytesMax));
  core::ByteReader in(bytes);
  Invite invite;
  invite.expires_at_s = in.zigzag();
  if (!read_list(in, invite.roles) || !read_list(in, invite.addresses) || !in.at_end()) {
    return Error{ErrorKind::kCorrupt, "the invite is damaged; make another", path};
  }
  return invite;
}

}  // namespace

core::Result<Identity> init_fleet(const std::string& state_dir, const std::string& fleet,
                                  const core::NodeId& node, const std::vector<std::string>& hosts) {
  const std::string dir = folder(state_dir);
  SYNCLINE_TRY(refuse_existing(dir));
  SYNCLINE_ASSIGN(const KeyPair authority, make_authority({fleet + " fleet", fleet}));
  SYNCLINE_ASSIGN(const KeyAndRequest own, make_request({node.text, fleet}, hosts));
  SYNCLINE_ASSIGN(const std::string certificate,
                  sign_request(authority, own.request_pem, {node.text, fleet}));
  Identity identity{node,        fleet,       authority.certificate_pem,
                    certificate, own.key_pem, env::random_bytes(kFleetKeyBytes),
                    true};
  SYNCLINE_TRY(env::make_folders(dir, 0700));
  SYNCLINE_TRY(env::write_file_atomic(dir + "/ca-key.pem", authority.key_pem, 0600));
  SYNCLINE_TRY(save(dir, identity));
  return identity;
}

core::Status save_fleet_keys(const std::string& state_dir, const std::vector<core::FleetKey>& keys,
                             std::size_t sealing) {
  std::string lines;
  const auto add = [&](const core::FleetKey& key) {
    core::Digest256 bytes;
    std::copy(key.bytes.begin(), key.bytes.end(), bytes.bytes.begin());
    lines += std::to_string(key.epoch) + ' ' + core::to_hex(bytes) + '\n';
  };
  add(keys.at(sealing));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i != sealing) add(keys[i]);
  }
  const std::string dir = folder(state_dir);
  SYNCLINE_TRY(env::write_file_atomic(dir + "/fleet-keys", lines, 0600));
  return env::write_file_atomic(dir + "/fleet-key", keys.at(sealing).bytes, 0600);
}

namespace {
core::Result<std::vector<core::FleetKey>> read_fleet_keys(const std::string& path) {
  SYNCLINE_ASSIGN(const std::string text, read_secret(path));
  std::istringstream in(text);
  std::vector<core::FleetKey> keys;
  std::uint64_t epoch = 0;
  std::string hex;
  while (keys.size() < kFleetKeysMax && in >> epoch >> hex) {
    core::Digest256 bytes;
    if (!core::from_hex(hex, bytes)) break;
    keys.push_back({epoch, std::string(bytes.bytes.begin(), bytes.bytes.end())});
  }
  if (!in.eof() || keys.empty()) {
    return Error{ErrorKind::kCorrupt,
                 "the fleet's keys are damaged: remove the file, the node is "
                 "given them anew",
                 path};
  }
  return keys;
}
}  // namespace

core::Result<Identity> load_identity(const std::string& state_dir) {
  const std::string dir = folder(state_dir);
  if (!env::exists(dir + "/node.pem")) {
    return Error{ErrorKind::kMissing,
                 "this node belongs to no fleet yet: `syncline init` makes one, `syncline join "
                 "TOKEN` joins one",
                 dir};
  }
  Identity identity;
  SYNCLINE_ASSIGN(identity.certificate_pem, env::read_file(dir + "/node.pem", kPemBytesMax));
  SYNCLINE_ASSIGN(identity.ca_pem, env::read_file(dir + "/ca.pem", kPemBytesMax));
  SYNCLINE_ASSIGN(identity.fleet, env::read_file(dir + "/fleet.name", 256));
  SYNCLINE_ASSIGN(identity.key_pem, read_secret(dir + "/node-key.pem"));
  SYNCLINE_ASSIGN(identity.fleet_key, read_secret(dir + "/fleet-key"));
  identity.fleet_keys = {{0, identity.fleet_key}};
  if (env::exists(dir + "/fleet-keys")) {
    SYNCLINE_ASSIGN(identity.fleet_keys, read_fleet_keys(dir + "/fleet-keys"));
    identity.fleet_key = identity.fleet_keys.front().bytes;
  }
  SYNCLINE_ASSIGN(const Subject subject, subject_of(identity.certificate_pem));
  identity.node = core::NodeId(subject.common_name);
  identity.is_authority = env::exists(dir + "/ca-key.pem");
  return identity;
}

core::Result<std::string> create_invite(const std::string& state_dir,
                                        const InviteOptions& options) {
  SYNCLINE_ASSIGN(const Identity identity, load_identity(state_dir));
  SYNCLINE_ASSIGN(const KeyPair authority, load_authority(folder(state_dir)));
  Token token;
  token.expires_at_s = options.now_s + options.valid_for_s;
  SYNCLINE_ASSIGN(token.ca_fingerprint, fingerprint(authority.certificate_pem));
  token.seed = env::random_bytes(32);
  token.fleet = identity.fleet;
  token.addresses = options.addresses;
  SYNCLINE_ASSIGN(const KeyPair certificate, make_token_certificate(token.seed));
  SYNCLINE_ASSIGN(const core::Digest256 hash, public_key_hash(certificate.certificate_pem));
  core::ByteWriter invite;
  invite.zigzag(token.expires_at_s);
  write_list(invite, options.roles);
  write_list(invite, options.addresses);
  const std::string path = invite_path(state_dir, hash);
  SYNCLINE_TRY(env::make_folders(env::folder_of(path), 0700));
  SYNCLINE_TRY(env::create_file_atomic(path, invite.take(), 0600));
  return encode(token);
}

bool is_invited(const std::string& state_dir, const core::Digest256& public_key,
                std::int64_t now_s) {
  const auto invite = read_invite(invite_path(state_dir, public_key));
  return invite.ok() && invite->expires_at_s > now_s;
}

core::Result<std::string> answer_join(const std::string& state_dir,
                                      const core::Digest256& public_key, const std::string& request,
                                      std::int64_t now_s,
                                      const std::function<bool(const core::NodeId&)>& is_taken) {
  const std::string path = invite_path(state_dir, public_key);
  SYNCLINE_ASSIGN(const Invite invite, read_invite(path));
  if (invite.expires_at_s <= now_s) {
    return Error{ErrorKind::kInvalid, "the token has expired: ask for another", ""};
  }
  core::ByteReader in(request);
  const core::NodeId node(in.text(64));
  const std::string request_pem(in.text(kPemBytesMax));
  if (!in.at_end() || node.empty()) {
    return Error{ErrorKind::kInvalid, "the request to join is malformed", ""};
  }
  if (is_taken(node)) {
    return Error{ErrorKind::kConflict, "the fleet has a node of this name: join with another --id",
                 node.text};
  }
  SYNCLINE_ASSIGN(const Identity identity, load_identity(state_dir));
  SYNCLINE_ASSIGN(const KeyPair authority, load_authority(folder(state_dir)));
  SYNCLINE_ASSIGN(const std::string certificate,
                  sign_request(authority, request_pem, {node.text, identity.fleet}));
  // Used up before the certificate leaves: a crash here burns the token, never doubles it.
  if (std::rename(path.c_str(), (path + ".used").c_str()) != 0) {
    return Error{ErrorKind::kConflict, "the token was used already: ask for another", ""};
  }
  SYNCLINE_TRY(env::sync_folder(env::folder_of(path)));
  core::ByteWriter answer;
  answer.text(certificate);
  answer.text(identity.ca_pem);
  answer.text(identity.fleet);
  answer.text(identity.fleet_key);
  write_list(answer, invite.roles);
  write_list(answer, invite.addresses);
  return answer.take();
}

core::Result<Joined> join_fleet(const std::string& state_dir, const std::string& token_text,
                                const core::NodeId& node, std::int64_t now_s, const JoinCall& call,
                                const std::vector<std::string>& hosts) {
  const std::string dir = folder(state_dir);
  SYNCLINE_TRY(refuse_existing(dir));
  SYNCLINE_ASSIGN(const Token token, decode_token(token_text));
  if (token.expires_at_s <= now_s) {
    return Error{ErrorKind::kInvalid,
                 "the token has expired: ask for another with `syncline "
                 "invite`",
                 ""};
  }
  SYNCLINE_ASSIGN(const KeyPair certificate, make_token_certificate(token.seed));
  SYNCLINE_ASSIGN(const KeyAndRequest own, make_request({node.text, token.fleet}, hosts));
  core::ByteWriter request;
  request.text(node.text);
  request.text(own.request_pem);
  const std::string bytes = request.take();
  core::Result<std::string> answer =
      Error{ErrorKind::kInvalid, "the token names no address: ask for another", ""};
  for (const std::string& address : token.addresses) {
    answer = call(address, certificate, token.ca_fingerprint, bytes);
    if (answer.ok()) break;
  }
  if (!answer.ok()) return answer.error();
  core::ByteReader in(*answer);
  Joined joined;
  joined.identity.node = node;
  joined.identity.key_pem = own.key_pem;
  joined.identity.certificate_pem = std::string(in.text(kPemBytesMax));
  joined.identity.ca_pem = std::string(in.text(kPemBytesMax));
  joined.identity.fleet = std::string(in.text(256));
  joined.identity.fleet_key = std::string(in.text(kFleetKeyBytes));
  const bool is_whole = read_list(in, joined.roles) && read_list(in, joined.addresses) &&
                        in.at_end() && joined.identity.fleet_key.size() == kFleetKeyBytes;
  if (!is_whole) return Error{ErrorKind::kCorrupt, "the fleet's answer is malformed", ""};
  SYNCLINE_ASSIGN(const core::Digest256 ca, fingerprint(joined.identity.ca_pem));
  if (ca != token.ca_fingerprint) {
    return Error{ErrorKind::kCorrupt, "the answer comes from another fleet than the token", ""};
  }
  SYNCLINE_TRY(save(dir, joined.identity));
  return joined;
}

}  // namespace syncline::identity
