// For tests only: the real server over real sockets, with a recorded Api behind it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "http/fake_api.hpp"
#include "http/server.hpp"

namespace syncline::http {

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "syncline-http-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    config_.node.state_dir = folder_;
    config_.node.http_listen = {"unix:" + socket(), "127.0.0.1:0"};
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string socket() const { return folder_ + "/api.sock"; }

  void start(const ServerLimits& limits = {}) {
    auto started = Server::start(config_, api_, {}, limits);
    ASSERT_TRUE(started.ok()) << core::to_string(started.error());
    server_ = std::move(*started);
  }

  // What the server made for its loopback listener.
  std::string token() const {
    std::ifstream file(folder_ + "/api.token");
    std::string text;
    file >> text;
    return text;
  }

  std::string folder_;
  core::Config config_;
  FakeApi api_;
  std::unique_ptr<Server> server_;
};

}  // namespace syncline::http
