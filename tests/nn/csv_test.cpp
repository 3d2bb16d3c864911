#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/csv.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::string_literals;
using names = std::vector<std::string>;

struct table {
  nn::csv_encoding encoding;
  nn::dataset<double> data;
};

table read(std::string_view text, const nn::csv_columns& columns = {},
           const nn::csv_format& format = {}) {
  const temporary_folder folder;
  const auto path = write_file(folder / "t.csv", text);
  const auto encoding = nn::fit_csv(path, columns, format);
  return {encoding, nn::read_csv<double>(path, encoding)};
}

std::vector<double> inputs(std::string_view text, const nn::csv_format& format = {}) {
  const auto x = read(text, {}, format).data.inputs;
  return {x.values().begin(), x.values().end()};
}

/// The message without the path of the file.
std::string refusal(std::string_view text, const nn::csv_columns& columns = {},
                    const nn::csv_format& format = {}) {
  const std::string message =
      reference::message<autodiff::error>([&] { read(text, columns, format); });
  const std::size_t quote = message.find('"'), name = message.find("t.csv\" ");
  return quote == std::string::npos || name == std::string::npos
             ? message
             : message.substr(0, quote) + message.substr(name + 7);
}

bool same(const autodiff::tensor<double>& x, const std::vector<double>& expected) {
  return reference::all_close(x.values(), expected, 0);
}

const std::string flowers =
    "length,width,species\n"
    "5.1,3.5,setosa\n"
    "7.0,3.2,versicolor\n"
    "6.3,3.3,virginica\n"
    "4.9,3.0,setosa\n";

}  // namespace

TEST_CASE("a table with a header becomes numbers and one-hot targets") {
  const auto [encoding, data] = read(flowers, {.targets = {"species"}});
  CHECK(data.inputs.shape() == autodiff::shape{4, 2});
  CHECK(same(data.inputs, {5.1, 3.5, 7.0, 3.2, 6.3, 3.3, 4.9, 3.0}));
  CHECK(data.targets.shape() == autodiff::shape{4, 3});
  CHECK(same(data.targets, {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0}));
  REQUIRE(encoding.targets.size() == 1);
  CHECK(encoding.targets[0].categories == names{"setosa", "versicolor", "virginica"});
  CHECK(encoding.features() == 2);
  CHECK(encoding.outputs() == 3);
}

TEST_CASE("cells are quoted as RFC 4180 says") {
  const auto categories = [](std::string_view cell) {
    return read("a\n" + std::string(cell) + "\n").encoding.inputs.at(0).categories;
  };
  CHECK(categories(R"("x, y")") == names{"x, y"});
  CHECK(categories(R"("say ""hi""")") == names{R"(say "hi")"});
  CHECK(categories("\"two\nlines\"") == names{"two\nlines"});
  CHECK(categories("\"two\r\nlines\"") == names{"two\r\nlines"});
  CHECK(inputs("\"a\",\"b, c\"\n\"1\",\"-2.5e1\"\n") == std::vector{1.0, -25.0});
  CHECK(read("\"say \"\"hi\"\"\"\n1\n").encoding.inputs[0].name == R"(say "hi")");
}

TEST_CASE("every way to end a line is understood, and lines with nothing in them are skipped") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    CAPTURE(end == "\n", end == "\r");
    const std::vector<double> expected{1, 2, 3, 4};
    CHECK(inputs(fmt::format("a,b{0}1,2{0}3,4{0}", end)) == expected);
    CHECK(inputs(fmt::format("a,b{0}1,2{0}3,4", end)) == expected);
    CHECK(inputs(fmt::format("{0}a,b{0}{0}1,2{0}{0}3,4{0}{0}", end)) == expected);
  }
  CHECK(inputs("\xEF\xBB\xBF"
               "a,b\n1,2\n") == std::vector{1.0, 2.0});
  CHECK(read("\xEF\xBB\xBF"
             "a\n1\n")
            .encoding.inputs[0]
            .name == "a");
}

TEST_CASE("the delimiter can be chosen, and a header left out") {
  CHECK(inputs("a;b\n1;2\n", {.delimiter = ';'}) == std::vector{1.0, 2.0});
  CHECK(inputs("a\tb\n1\t2\n", {.delimiter = '\t'}) == std::vector{1.0, 2.0});
  const auto [encoding, data] = read("1,2,x\n3,4,y\n", {.targets = {"3"}}, {.header = false});
  CHECK(same(data.inputs, {1, 2, 3, 4}));
  CHECK(same(data.targets, {1, 0, 0, 1}));
  CHECK(encoding.inputs[1].name == "2");
  for (const char bad : {'"', '\n', '\r', '\0'}) {
    CHECK(reference::says(refusal("a\n1\n", {}, {.delimiter = bad}), "fit_csv: a delimiter that"));
  }
}

TEST_CASE("numbers are read to the last bit, with spaces around and in every usual form") {
  CHECK(inputs("a\n 1 \n\t+2\n-0.5\n.25\n3.\n1e3\n1E-2\n0.1\n") ==
        std::vector{1.0, 2.0, -0.5, 0.25, 3.0, 1000.0, 0.01, 0.1});
  CHECK(inputs("a\n4.9e-324\n1e-400\n1.7976931348623157e308\n") ==
        std::vector{5e-324, 0.0, std::numeric_limits<double>::max()});
  CHECK(std::signbit(inputs("a\n-0\n")[0]));
  const temporary_folder folder;
  const auto path = write_file(folder / "t.csv", "a\n0.1\n1e-45\n1e-60\n");
  const auto x = nn::read_csv<float>(path, nn::fit_csv(path, {})).inputs;
  CHECK(x.value(0, 0) == 0.1F);
  CHECK(x.value(1, 0) == std::numeric_limits<float>::denorm_min());
  CHECK(x.value(2, 0) == 0);
}

TEST_CASE("a value that is no number is refused by row, line and column") {
  CHECK(refusal("age,income\n31,2000\n\n32,high\n", {}) ==
        "fit_csv: row 2 (line 4), column \"income\": \"high\" is no finite number; correct it, or "
        "list \"income\" as categorical");
  for (const std::string cell : {"1e999", "inf", "-inf", "1,5", "1.5.2", "0x10", "1 2", "++1",
                                 "+-1", "--1", "1e", "e5", "."}) {
    CAPTURE(cell);
    CHECK(reference::says(refusal("a;b\n1;1\n1;" + cell + "\n", {}, {.delimiter = ';'}),
                          "row 2 (line 3), column \"b\"", cell, "no finite number"));
  }
  // Of a table learned before.
  const temporary_folder folder;
  const auto path = write_file(folder / "t.csv", "a\n1\n2\n");
  const auto encoding = nn::fit_csv(path, {});
  write_file(path, "a\n1\nx\n");
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::read_csv<double>(path, encoding); }),
      "read_csv: ", "row 2 (line 3), column \"a\": \"x\" is no finite number"));
  write_file(path, "a\n1\n1e39\n");
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::read_csv<float>(path, encoding); }),
      "\"1e39\" is no finite number"));
}

TEST_CASE("missing values are refused by row and column, skipped, or NaN") {
  const std::string text =
      "a,b,c\n"
      "1,x,2\n"
      "NA,y,3\n"
      "4,,5\n"
      "6,z,7\n";
  CHECK(refusal(text) ==
        "fit_csv: row 2 (line 3), column \"a\": the value is missing; fill it in, or have such "
        "rows skipped (missing_values)");
  for (const std::string word : {"", " ", "NA", "N/A", "NaN", "nan", "null", "?"}) {
    CHECK(reference::says(refusal("a,b\n1," + word + "\n"), "column \"b\": the value is missing"));
  }
  const auto skipped = read(text, {}, {.missing = nn::missing_values::skipped});
  CHECK(skipped.encoding.inputs[1].categories == names{"x", "z"});
  CHECK(same(skipped.data.inputs, {1, 1, 0, 2, 6, 0, 1, 7}));
  const auto kept = read(text, {}, {.missing = nn::missing_values::as_nan});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(same(kept.data.inputs, {1, 1, 0, 0, 2, nan, 0, 1, 0, 3, 4, 0, 0, 0, 5, 6, 0, 0, 1, 7}));
  CHECK(reference::says(refusal(text, {.targets = {"a"}}, {.missing = nn::missing_values::as_nan}),
                        "row 2", "column \"a\": the value is missing"));
  CHECK(inputs("a\n1\n-99\n", {.missing = nn::missing_values::skipped, .missing_words = {"-99"}}) ==
        std::vector{1.0});
  CHECK(reference::says(refusal("a\nNA\n", {}, {.missing = nn::missing_values::skipped}),
                        "no row without a missing value"));
}

TEST_CASE("columns are chosen by name") {
  const std::string text = "id,a,b,c\n7,1,2,3\n8,4,5,6\n";
  CHECK(same(read(text, {.targets = {"b"}, .ignored = {"id"}}).data.inputs, {1, 3, 4, 6}));
  CHECK(same(read(text, {.targets = {"b"}, .inputs = {"c", "a"}}).data.inputs, {3, 1, 6, 4}));
  CHECK(same(read(text, {.targets = {"c", "a"}}).data.targets, {3, 1, 6, 4}));
  CHECK(reference::says(refusal(text, {.targets = {"d"}}),
                        "has no column \"d\"; its columns are \"id\", \"a\", \"b\", \"c\""));
  CHECK(reference::says(refusal(text, {.ignored = {"d"}}), "has no column \"d\""));
  CHECK(reference::says(refusal(text, {.categorical = {"d"}}), "has no column \"d\""));
  CHECK(reference::says(refusal(text, {.targets = {"a"}, .inputs = {"a"}}),
                        "column \"a\" is asked for twice"));
  CHECK(reference::says(refusal("a\n1\n", {.targets = {"a"}}),
                        "has no column that is left for an input"));
}

TEST_CASE("categories are sorted: numbers by size, words by letters") {
  const auto categories = [](std::string_view text) {
    return read(text, {.categorical = {"a"}}).encoding.inputs.at(0).categories;
  };
  CHECK(categories("a\n10\n9\n-1\n9\n") == names{"-1", "9", "10"});
  CHECK(categories("a\nb\n10\na\n9\n") == names{"9", "10", "a", "b"});
}

TEST_CASE("a column of numbers and words that is not listed as categorical is refused") {
  CHECK(reference::says(refusal("a\nl2\n12\n"),
                        "row 2 (line 3), column \"a\": \"12\" is a number, and \"l2\" in row 1 is "
                        "none",
                        "list \"a\" as categorical"));
  CHECK(reference::says(refusal("a,b\n1,x\n2,y\n3,z\n", {.most_categories = 2}),
                        "row 3 (line 4), column \"b\"", "more than 2 categories"));
}

TEST_CASE("numbers with a comma are refused, unless their column is of categories") {
  const nn::csv_format semicolons{.delimiter = ';'};
  for (const char* cell : {"1,5", "-0,25", "1,234", "1,5e3"}) {
    CHECK(refusal("a;b\n"s + cell + ";1\n", {}, semicolons) ==
          "fit_csv: row 1 (line 2), column \"a\": \""s + cell +
              "\" is a number with a comma; write 1.5 for 1,5, or list \"a\" as categorical");
  }
  CHECK(refusal("a\nx\n\"1,5\"\n") ==
        "fit_csv: row 2 (line 3), column \"a\": \"1,5\" is a number with a comma; write 1.5 for "
        "1,5, or list \"a\" as categorical");
  const auto listed = read("a;b\n1,5;1\n2,5;2\n", {.categorical = {"a"}}, semicolons);
  CHECK(listed.encoding.inputs.at(0).categories == names{"1,5", "2,5"});
  const auto words = read("a\n\"x, y\"\n\"1,2,3\"\n\",\"\n");
  CHECK(words.encoding.inputs.at(0).categories == names{",", "1,2,3", "x, y"});
}

TEST_CASE("a table may have many columns") {
  std::string header, row;
  for (int i = 0; i < 20000; ++i) {
    header += (i == 0 ? "" : ",") + std::to_string(i);
    row += i == 0 ? "0" : ",1";
  }
  const auto wide = read(header + "\n" + row + "\n", {.targets = {"0"}});
  CHECK(wide.encoding.features() == 19999);
  CHECK(wide.encoding.inputs.back().name == "19999");
}

TEST_CASE("a later file is read as the first one, whatever the order of its columns") {
  const temporary_folder folder;
  const auto encoding =
      nn::fit_csv(write_file(folder / "train.csv", flowers), {.targets = {"species"}});
  const auto later =
      write_file(folder / "later.csv", "note,species,width,length\n-,virginica,1,2\n,setosa,3,4\n");
  const auto data = nn::read_csv<double>(later, encoding);
  CHECK(same(data.inputs, {2, 1, 4, 3}));
  CHECK(same(data.targets, {0, 0, 1, 1, 0, 0}));
  const auto bare = write_file(folder / "bare.csv", "length,width\n1,2\n");
  CHECK(same(nn::read_csv_inputs<double>(bare, encoding), {1, 2}));
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::read_csv<double>(bare, encoding); }),
      "bare.csv\" has no column \"species\""));
  const auto new_kind = write_file(folder / "new.csv", "length,width,species\n1,2,rose\n");
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::read_csv<double>(new_kind, encoding); }),
      "row 1 (line 2), column \"species\": \"rose\" is none of its 3 categories"));
}

TEST_CASE("rows are read one by one, again after a rewind, and from gzip") {
  const temporary_folder folder;
  const auto path = folder / "t.csv.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzputs(file, flowers.c_str()) > 0);
  REQUIRE(gzclose(file) == Z_OK);
  nn::csv_rows<double> rows(path, nn::fit_csv(path, {.targets = {"species"}}));
  CHECK(rows.samples() == 4);
  CHECK(rows.features() == 2);
  CHECK(rows.outputs() == 3);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<double> x(2), t(3), all;
    while (rows.next(x, t)) all.insert(all.end(), x.begin(), x.end());
    CHECK(all == std::vector{5.1, 3.5, 7.0, 3.2, 6.3, 3.3, 4.9, 3.0});
    rows.rewind();
  }
}

TEST_CASE("what is no table is refused with the line") {
  CHECK(reference::says(refusal(""), "fit_csv: is empty"));
  CHECK(reference::says(refusal("\n\n"), "is empty"));
  CHECK(reference::says(refusal("a,b\n"), "has no rows"));
  CHECK(reference::says(refusal("a,b,a\n1,2,3\n"), "two columns named \"a\""));
  CHECK(reference::says(refusal("a,b\n1,2\n1,2,3\n"), "line 3: 3 cells in a table of 2 columns"));
  CHECK(reference::says(refusal("a,b\n1\n"), "line 2: 1 cells in a table of 2 columns"));
  CHECK(
      reference::says(refusal("a,b\n1,\"2\n3\n"), "line 2: the quote that opens cell 2 is never"));
  CHECK(reference::says(refusal("a,b\n\"x\ny\",\"2\n"), "line 3: the quote that opens cell 2"));
  CHECK(reference::says(refusal("a,b\n1,\"2\"3\n"), "line 2: text behind the quote", "cell 2"));
  CHECK(reference::says(refusal("a,b\n1,2\"3\n"), "line 2: a quote within cell 2, \"2\""));
  CHECK(reference::says(refusal("a,b\n1,2\0\n"s), "line 2: a byte 0", "UTF-8"));
  CHECK(reference::says(refusal("a\n" + std::string(1U << 25U, 'x')), "line 2", "16777216 bytes"));
  CHECK(reference::says(refusal("a\n" + std::string(1U << 21U, ',')), "more than 1048576 cells"));
  const temporary_folder folder;
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::fit_csv(folder / "lost.csv", {}); }),
      "fit_csv", "lost.csv", "does not exist"));
}

TEST_CASE("text from a file is shown short and harmless") {
  const std::string text = refusal("a\n1\n\x1b[31m" + std::string(1000, 'x') + "\n");
  CHECK(reference::says(text, ".[31mxxx", "..."));
  CHECK(text.size() < 250);
  // Of characters with several bytes, none is cut in two; that of CSI would be a terminal's
  // command.
  for (const auto& [cell, seen] :
       {std::pair{std::string(39, 'x') + "\u00fcx", std::string(39, 'x') + "..."},
        {std::string(38, 'x') + "\U0001f600x", std::string(38, 'x') + "..."},
        {std::string(38, 'x') + "\u00fcx", std::string(38, 'x') + "\u00fc..."},
        {std::string(38, 'x') + "\u00fc", std::string(38, 'x') + "\u00fc"},
        {"\u009b31mred \u00a0\u00fc", ".31mred \u00a0\u00fc"},
        {std::string(50, '\x80'), std::string(37, '\x80') + "..."},
        {"\xc2", "\xc2"}}) {
    CHECK(reference::says(refusal("a\n1\n" + cell + "\n"), "\"" + seen + "\" is no"));
  }
}
