// docs/schemas is what the code says, and real answers over a real socket fit it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "http/json.hpp"
#include "http/schema_check.hpp"
#include "http/server_fixture.hpp"
#include "syncline/client.hpp"

namespace syncline::http {
namespace {

struct Schema {
  const char* name;  // docs/schemas/<name>.json
  std::string (*make)(std::string_view title);
  const char* title;
};

const Schema kSchemas[] = {
    {"sync-request", schema_of<facade::SyncRequest>, "Body of POST /v1/sync"},
    {"sync-response", schema_of<facade::SyncResponse>, "Answer of POST /v1/sync"},
    {"status", schema_of<facade::StatusReport>, "Answer of GET /v1/status"},
    {"nodes", schema_of<NodesAnswer>, "Answer of GET /v1/nodes"},
    {"freshness", schema_of<FreshnessAnswer>, "Answer of GET /v1/freshness"},
    {"stats", schema_of<facade::StatsReport>, "Answer of GET /v1/stats"},
    {"route", schema_of<facade::RouteReport>, "Answer of GET /v1/routes"},
    {"transfers", schema_of<TransfersAnswer>, "Answer of GET /v1/transfers"},
    {"events", schema_of<EventsAnswer>, "Answer of GET /v1/events as a list"},
    {"event", schema_of<facade::EventRow>, "Data of one event in the stream of GET /v1/events"},
    {"flush-request", schema_of<FlushRequest>, "Body of POST /v1/flush"},
    {"flush", schema_of<facade::FlushReport>, "Answer of POST /v1/flush"},
    {"verify-request", schema_of<VerifyRequest>, "Body of POST /v1/verify"},
    {"verify", schema_of<VerifyAnswer>, "Answer of POST /v1/verify"},
    {"notify-request", schema_of<NotifyRequest>, "Body of POST /v1/notify"},
    {"pause-request", schema_of<PauseRequest>, "Body of POST /v1/pause"},
    {"dead-letters", schema_of<DeadLettersAnswer>, "Answer of GET /v1/dead-letters"},
    {"dead-letter-request", schema_of<DeadLetterRequest>, "Body of POST /v1/dead-letters"},
    {"dead-letter", schema_of<DeadLetterAnswer>, "Answer of POST /v1/dead-letters"},
    {"error", schema_of<ErrorAnswer>, "Body of every answer outside 2xx"},
};

std::string path_of(const std::string& name) {
  return std::string(SYNCLINE_SOURCE_DIR) + "/docs/schemas/" + name + ".json";
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Schemas, in_docs_are_those_of_the_code) {
  const bool is_regenerating = std::getenv("SYNCLINE_REGENERATE") != nullptr;
  for (const Schema& schema : kSchemas) {
    const std::string made = schema.make(schema.title);
    if (is_regenerating) std::ofstream(path_of(schema.name)) << made;
    EXPECT_EQ(read(path_of(schema.name)), made)
        << "run the test with SYNCLINE_REGENERATE=1 and look at the difference";
  }
}

TEST(Schemas, are_named_in_the_manual_of_the_api) {
  const std::string manual = read(std::string(SYNCLINE_SOURCE_DIR) + "/docs/api.md");
  for (const Schema& schema : kSchemas) {
    EXPECT_NE(manual.find("schemas/" + std::string(schema.name) + ".json"), std::string::npos)
        << schema.name;
  }
}

TEST(Schemas, refuse_what_does_not_fit) {
  const std::string event = read(path_of("event"));
  const std::string good = to_json(facade::EventRow{});
  EXPECT_EQ(misfit(good, event), "");
  EXPECT_EQ(misfit(R"({"id":1})", event), "$ lacks \"at_ms\"");
  std::string renamed = good;
  renamed.replace(renamed.find("message"), 7, "massage");
  EXPECT_NE(misfit(renamed, event), "");
  std::string negative = good;
  negative.replace(negative.find("\"id\":0"), 6, "\"id\":-1");
  EXPECT_EQ(misfit(negative, event), "$.id is below the minimum");
  EXPECT_EQ(misfit(R"({"data_type":"games","priority":"soon"})", read(path_of("sync-request"))),
            "$.priority not in enum");
  EXPECT_EQ(misfit(R"({"data_type":"games"})", read(path_of("sync-request"))), "");
}

class SchemaAnswers : public ServerTest {
 protected:
  void expect_fits(const char* schema, const std::string& method, const std::string& path,
                   const std::string& body = "") {
    const auto answer = Client::connect("unix:" + socket())->raw(method, path, body);
    ASSERT_TRUE(answer);
    EXPECT_EQ(misfit(answer->body, read(path_of(schema))), "") << path << ": " << answer->body;
  }
};

TEST_F(SchemaAnswers, over_the_wire_fit_with_every_list_filled) {
  facade::CollectionStatus games;
  games.name = "games";
  games.last_proof_age_s = 2;
  games.origins.resize(2);
  games.problems = {"p"};
  facade::PeerStatus peer;
  peer.disk_free_bytes = 1;
  peer.open_circuits = {"c"};
  api_.status_answer.collections = {games, {}};
  api_.status_answer.peers = {peer, {}};
  api_.status_answer.hooks.resize(2);
  api_.status_answer.agentless.resize(2);
  api_.freshness_answer.resize(1);
  api_.freshness_answer[0].next_run_s = 3;
  api_.stats_answer.by_backend.resize(1);
  api_.stats_answer.counters["units"] = 3;
  api_.transfers_answer.resize(1);
  facade::EventRow event;
  event.id = 1;
  event.details["a"] = "b";
  api_.add_event(event);
  facade::SyncResponse response;
  response.parts.emplace_back();
  response.nodes.resize(1);
  response.route.verdicts.resize(1);
  response.details["k"] = "v";
  api_.sync_answer = response;
  api_.route_answer = response.route;
  facade::FlushReport flushed;
  flushed.pending = {games};
  api_.flush_answer = flushed;
  for (const char* name : {"games", ""}) {
    api_.verify_answers[name].differences.resize(1);
    api_.verify_answers[name].fingerprint_by_node["n"] = "f";
  }
  start();
  expect_fits("status", "GET", "/v1/status");
  expect_fits("nodes", "GET", "/v1/nodes");
  expect_fits("freshness", "GET", "/v1/freshness");
  expect_fits("stats", "GET", "/v1/stats");
  expect_fits("transfers", "GET", "/v1/transfers");
  expect_fits("events", "GET", "/v1/events");
  expect_fits("route", "GET", "/v1/routes?data_type=games");
  expect_fits("sync-response", "POST", "/v1/sync", R"({"data_type":"all"})");
  expect_fits("flush", "POST", "/v1/flush");
  expect_fits("verify", "POST", "/v1/verify");
  expect_fits("error", "GET", "/v1/nothing");
  expect_fits("error", "POST", "/v1/sync", "{");
}

}  // namespace
}  // namespace syncline::http
