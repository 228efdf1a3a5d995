// A fleet's CA for tests, made by openssl(1).
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/check.hpp"

namespace syncline::transports {

struct KeyFiles {
  std::string certificate;
  std::string key;
  std::string authority;
};

// A folder with a CA, and key pairs that it signed for 127.0.0.1.
class Authority {
 public:
  Authority() {
    char name[] = "/tmp/syncline-aria2-XXXXXX";
    folder_ = ::mkdtemp(name);
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "/CN=fleet -keyout ca.key -out ca.crt");
  }
  ~Authority() { std::filesystem::remove_all(folder_); }
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  KeyFiles issue(const std::string& name, const std::string& alternative = "IP:127.0.0.1") {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -keyout " + name + ".key -out " + name + ".csr");
    run("printf 'subjectAltName=" + alternative + "' > " + name + ".ext && openssl x509 -req " +
        "-days 2 -in " + name + ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile " + name +
        ".ext -out " + name + ".crt");
    return {file(name + ".crt"), file(name + ".key"), file("ca.crt")};
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

 private:
  void run(const std::string& command) {
    const std::string line = "cd '" + folder_ + "' && (" + command + ") 2>/dev/null";
    SYNCLINE_CHECK(std::system(line.c_str()) == 0, command);
  }
  std::string folder_;
};

}  // namespace syncline::transports
