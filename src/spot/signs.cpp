#include "spot/signs.hpp"

#include <cstdlib>

namespace syncline::spot {

namespace {

struct VariableSign {
  const char* variable;
  const char* provider;
};
// Both sell machines of others that these may take back, whatever was paid for: all are spot.
constexpr VariableSign kVariables[] = {
    // docs.vast.ai, "Docker Execution Environment": the instance's label inside its container.
    {"VAST_CONTAINERLABEL", "vast"},
    // docs.runpod.io, "Pod environment variables": the pod's id.
    {"RUNPOD_POD_ID", "runpod"},
};

struct VendorSign {
  const char* vendor;
  const char* provider;
};
// cloud-init's tools/ds-identify tells providers by the same field.
constexpr VendorSign kVendors[] = {
    {"Hetzner", "hetzner"},
    {"Vultr", "vultr"},
    {"Amazon EC2", "aws"},
    {"Google", "gcp"},
    {"Microsoft Corporation", "azure"},
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

Lookup process_environment() {
  return [](const char* variable) -> std::optional<std::string> {
    const char* value = std::getenv(variable);
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::optional<Found> found_in_environment(const Lookup& lookup) {
  for (const VariableSign& sign : kVariables) {
    const auto value = lookup(sign.variable);
    if (!value || value->empty()) continue;
    return Found{sign.provider, true, std::string("environment variable ") + sign.variable};
  }
  return std::nullopt;
}

std::optional<Found> found_in_vendor(std::string_view vendor) {
  const std::string_view name = trimmed(vendor);
  for (const VendorSign& sign : kVendors) {
    if (name == sign.vendor) {
      return Found{sign.provider, false, std::string("the maker's name in ") + kVendorFile};
    }
  }
  return std::nullopt;
}

}  // namespace syncline::spot
