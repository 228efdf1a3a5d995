// Aligned columns for a terminal. Pure.
#pragma once

#include <string>
#include <vector>

namespace syncline::cli {

enum class Colour { kPlain, kDim, kGood, kWarn, kBad, kBold };

// The text with its escape codes, or as it is where `has_colour` is false.
std::string painted(const std::string& text, Colour colour, bool has_colour);

// How many columns it takes: code points, not bytes; East Asian wide forms count twice.
std::size_t columns_of(const std::string& text);

// Control characters, which could play tricks on a terminal, as '?'.
std::string printable(const std::string& text);

struct Cell {
  std::string text;
  Colour colour = Colour::kPlain;
  bool is_number = false;  // aligned to the right

  Cell(std::string value, Colour c = Colour::kPlain)
      : text(std::move(value)), colour(c) {}  // NOLINT
  Cell(const char* value) : text(value) {}    // NOLINT
};
Cell number(std::string text, Colour colour = Colour::kPlain);

class Table {
 public:
  explicit Table(std::vector<Cell> head) : head_(std::move(head)) {}
  // REQUIRES: as many cells as the head
  void add(std::vector<Cell> row);
  // A line below the last row that spans all columns: a reason, a problem.
  void add_note(std::string text, Colour colour = Colour::kDim);
  bool empty() const { return rows_.empty(); }
  std::string text(bool has_colour) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<Cell> notes;
  };
  std::vector<Cell> head_;
  std::vector<Row> rows_;
};

}  // namespace syncline::cli
