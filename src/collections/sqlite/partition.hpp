// One database of a replica: all units of a collection, or those of one config key.
//
// What is kept (docs/formats/replica.md): the rows themselves, in tables like the sources'; per
// unit its hash, where its rows are (runs of rowids, in the order of the unit's rows) and which
// versions they come from; per record its name and hash. A unit that comes from one version is its
// rows: the record's bytes are made again from them. Only where that would give other bytes
// (several versions contribute, a cell is changed by a column's type, a row is another unit's now)
// the records' bytes are kept beside, compressed.
//
// Everything in one merge is one transaction. When it fails, what is in memory is read again.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collections/sqlite/derive.hpp"
#include "collections/sqlite/replica.hpp"
#include "collections/sqlite/replica_schemas.hpp"
#include "collections/sqlite/replica_tables.hpp"
#include "core/config.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

struct Incoming {
  const core::RecordBatch* batch = nullptr;
  const core::Record* record = nullptr;
};

struct RowRun {
  std::int64_t first = 0;  // rowid; 0: rows that are not in the table, see unit_write.cpp
  std::int64_t count = 0;
};
using RowRuns = std::vector<RowRun>;

struct RecordName {
  std::int64_t log = 0;  // in syncline_logs
  std::uint64_t seq = 0;
  bool operator==(const RecordName&) const = default;
};

struct StoredUnit {
  std::int64_t number = 0;
  std::string key;
  core::ConfigKey config_key;
  bool is_here = false;                     // false: only its name is known
  core::Digest256 hash;                     // of the folded unit
  std::optional<core::Digest256> measured;  // of its rows as read back, where that differs
  std::int64_t shape = 0;
  std::vector<RowRuns> rows;         // per table of the shape
  std::vector<RecordName> versions;  // that contribute, newest first
};

struct StoredRecord {
  std::uint64_t hlc = 0;
  core::WallMs committed_at;
  std::int64_t unit = 0;
  std::int64_t schema = 0;  // 0: unknown, of a superseded one
  core::Digest256 hash;
  std::optional<core::ConfigKey> config_key;  // where it is not the unit's
  bool is_superseded = false;
};

// A version with what is needed to fold and write it.
struct Version {
  RecordName name;
  core::Record record;  // without its unit's bytes
  core::NodeId origin;
  core::Unit unit;
  const SchemaInfo* schema = nullptr;
};

// Tables and columns of a unit; few for all units together.
struct Shape {
  std::int64_t number = 0;
  std::vector<std::string> tables;
  std::vector<std::vector<std::string>> columns;
};

// How a table of a unit stands in the database: by shape and schema.
struct TableLayout {
  const KeptTable* table = nullptr;
  const TableMeaning* meaning = nullptr;
  std::vector<std::string> columns;
  std::vector<Affinity> affinities;
  std::vector<const KeptTable*> parents;  // per column: whose rows its cells name; null: a value
  std::vector<int> key_at;                // positions of the key's columns; -1: not there
  bool has_references = false;
  bool is_plain_key = false;  // the database holds the key unique, as fold() does
  std::unique_ptr<syncline::sqlite::Statement> insert;
  std::unique_ptr<syncline::sqlite::Statement> select;
};
struct ShapeLayout {
  const Shape* shape = nullptr;
  std::vector<TableLayout> tables;
  bool has_references = false;
};

struct Derivation {
  DerivedCounts counts;
  bool is_made = false;
  std::string problem;  // why not
};

class Partition {
 public:
  static core::Result<std::unique_ptr<Partition>> open(const std::string& path,
                                                       const core::CollectionConfig& config,
                                                       const core::ConfigKey& config_key);

  core::Result<MergeReport> merge(std::span<const Incoming> records);
  // Appends to `out`, counting in `bytes`; stops at about `bytes_max`.
  core::Status read(const core::LogId& log, const core::SeqSet& wanted, std::size_t bytes_max,
                    std::size_t& bytes, core::RecordBatch& out);
  // Different texts of the column, until there are so many.
  core::Status add_texts(const std::string& table, const std::string& column, std::size_t count_max,
                         std::set<std::string>& out);
  core::Result<ScrubReport> scrub(std::size_t units_max);

  // ── partition_aside.cpp ──
  core::Result<std::uint64_t> count_aside();
  core::Status list_aside(std::size_t count_max, std::vector<AsideRecord>& out);
  core::Result<MergeReport> retry_aside(const std::set<RecordId>& only);
  core::Result<std::uint64_t> drop_aside(const std::set<RecordId>& only);

  const Derivation& derivation() const { return derivation_; }
  std::map<core::LogId, core::SeqSet> merged() const;
  const reconcile::Fingerprint& fingerprint() const { return fingerprint_; }
  const std::string& path() const { return db_.path(); }

 private:
  struct Log {
    std::int64_t number = 0;
    core::SeqSet merged;
    bool is_changed = false;
  };
  struct Checked {
    core::Unit unit;
    const SchemaInfo* schema = nullptr;
  };
  struct WrittenRows {
    std::vector<RowRuns> runs;
    bool is_faithful = true;  // read back, they are the unit's rows
  };
  struct FoldedUnit {
    std::vector<Version> versions;
    reconcile::Folded folded;
  };
  using Names = std::map<std::pair<int, std::string>, std::int64_t>;  // (table, name) -> rowid

  Partition(syncline::sqlite::Database db, const core::CollectionConfig& config);

  // ── partition.cpp ──
  core::Status load();
  core::Status load_logs();
  core::Result<MergeReport> merge_all(std::span<const Incoming> records);
  core::Status finish(MergeReport& report);
  core::Result<Log*> log_of(const core::LogId& id);
  core::Result<syncline::sqlite::Statement*> sql(const char* text);

  // ── partition_derive.cpp ──
  core::Status load_derivation();
  core::Status derive_if_new();
  core::Status derive();
  core::Result<DerivedCounts> run_deriver(bool only_added);

  // ── partition_merge.cpp ──
  core::Status merge_one(const Incoming& incoming, MergeReport& report);
  core::Result<std::optional<Checked>> check(const Incoming& incoming, std::string& refusal);
  core::Status put_aside(const Incoming& incoming, std::int64_t log, const std::string& reason,
                         MergeReport& report);
  core::Status take_version(Version version, MergeReport& report);
  core::Status write_new(std::vector<Version> versions, StoredUnit unit);
  core::Status refold(Version version, StoredUnit unit, MergeReport& report);
  core::Status store_folded(StoredUnit unit, std::vector<Version> versions,
                            std::vector<Version> old_versions);
  core::Status settle_versions(StoredUnit& unit, const std::vector<Version>& versions,
                               const std::vector<std::size_t>& contributing, bool keep_bytes);

  // ── partition_schemas.cpp ──
  core::Status load_schemas();
  core::Result<const SchemaInfo*> schema_of(const core::RecordBatch& batch, const std::string& id,
                                            std::string& refusal);
  const SchemaInfo* schema_by(std::int64_t number) const;
  void note_references(const SchemaInfo& schema);
  core::Status load_shapes();
  core::Result<const Shape*> shape_of(const core::Unit& unit);
  core::Result<ShapeLayout*> layout_of(const Shape& shape, std::vector<const SchemaInfo*> schemas);

  // ── unit_store.cpp ──
  core::Result<std::optional<StoredUnit>> find_unit(const std::string& key);
  core::Result<std::optional<StoredUnit>> load_unit(std::int64_t number);
  core::Result<std::int64_t> name_unit(const std::string& key, const core::ConfigKey& config_key);
  core::Status save_unit(StoredUnit& unit);
  core::Status save_record(const RecordName& name, const StoredRecord& record);
  core::Result<std::optional<StoredRecord>> load_record(const RecordName& name);
  core::Status supersede(const RecordName& name);
  core::Status forget_record(const RecordName& name);
  core::Status keep_bytes(const RecordName& name, const std::string& bytes);
  core::Result<std::optional<std::string>> kept_bytes(const RecordName& name);
  core::Status drop_bytes(const RecordName& name);
  const core::LogId* log_by(std::int64_t number) const;

  // ── unit_write.cpp ──
  core::Result<std::optional<WrittenRows>> write_plain(ShapeLayout& layout, const core::Unit& unit);
  core::Result<WrittenRows> write_rows(const FoldedUnit& now, const FoldedUnit& before,
                                       const StoredUnit& stored);
  core::Result<std::int64_t> write_row(TableLayout& layout, const std::vector<core::Cell>& cells,
                                       std::int64_t rowid, const Names& names, bool& is_faithful);
  core::Status name_row(const TableLayout& layout, const std::string& name, std::int64_t rowid,
                        Names& names);
  bool needs_name(const TableLayout& layout) const;
  core::Status remove_row(const KeptTable& table, std::int64_t rowid);
  core::Status remove_rows(const StoredUnit& unit);

  // ── unit_read.cpp ──
  // kConflict: a row is not there any more, or not readable as part of a unit.
  core::Result<core::Unit> read_unit(const StoredUnit& unit);
  core::Result<ShapeLayout*> layout_of(const StoredUnit& unit);
  // kConflict: the unit's rows are not what was merged.
  core::Result<std::vector<Version>> versions_of(const StoredUnit& unit);
  core::Result<std::string> bytes_of(const StoredUnit& unit, const RecordName& name,
                                     const core::Digest256& hash);

  // ── partition_read.cpp ──
  core::Result<std::optional<core::Record>> record_of(const RecordName& name,
                                                      core::RecordBatch& out);
  core::Result<std::optional<core::Record>> aside_record(const RecordName& name,
                                                         core::RecordBatch& out);

  // ── row_names.cpp ──
  core::Result<std::int64_t> id_of(const KeptTable& parent, const std::string& name);
  core::Status register_row(const TableLayout& layout, const std::string& name, std::int64_t rowid);
  core::Status note_reference(const KeptTable& table, std::int64_t rowid, const std::string& column,
                              const KeptTable& parent, const std::string& name, bool is_pending);
  core::Result<std::optional<std::string>> noted_reference(const KeptTable& table,
                                                           std::int64_t rowid,
                                                           const std::string& column);

  syncline::sqlite::Database db_;
  const core::CollectionConfig& config_;
  const std::string rules_;                 // encode_rules(config_)
  const std::unique_ptr<Deriver> deriver_;  // null: nothing is derived
  Derivation derivation_;
  std::set<std::string> touched_;  // tables, since the last derivation
  bool is_changed_ = false;        // … and not by new rows alone

  std::map<core::LogId, Log> logs_;
  std::map<std::int64_t, core::LogId> log_names_;
  reconcile::Fingerprint fingerprint_;
  bool is_fingerprint_changed_ = false;
  std::int64_t pending_ = 0;           // references that wait
  std::set<int> referenced_;           // tables whose hidden column is referred to
  std::set<std::int64_t> unmeasured_;  // units whose `measured` must be taken before commit

  std::vector<std::unique_ptr<SchemaInfo>> schemas_;
  std::map<std::string, SchemaInfo*> schemas_now_;  // by id, under the configuration in force
  KeptTables tables_;
  std::map<std::int64_t, std::unique_ptr<Shape>> shapes_;
  std::unordered_map<std::string, Shape*> shape_by_bytes_;
  std::unordered_map<std::string, std::unique_ptr<ShapeLayout>> layouts_;
  std::unordered_map<std::string_view, std::unique_ptr<syncline::sqlite::Statement>> statements_;
};

}  // namespace syncline::collections::sqlite
