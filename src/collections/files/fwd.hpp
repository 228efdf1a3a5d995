#pragma once

namespace syncline::collections::files {

struct FileStamp;
struct KnownFile;
struct SeenFile;
struct ScanOutcome;
struct LandingRequest;
struct Landed;
class Tree;
class ObjectReader;
class Landing;
class LandingSite;

}  // namespace syncline::collections::files
