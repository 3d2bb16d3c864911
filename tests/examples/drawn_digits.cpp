#include <tests/examples/drawn_digits.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace {

constexpr std::size_t side = 28;

struct point {
  double x, y;
};

// A smooth line through its points; a point given twice is a corner.
using stroke = std::vector<point>;
using glyph = std::vector<stroke>;

/// The ways people write each digit, in a box from (0, 0) top left to (1, 1) bottom right.
const std::array<std::vector<glyph>, 10>& glyphs() {
  // A point per line would hide the shapes.
  // clang-format off
  static const std::array<std::vector<glyph>, 10> table{{
      {
          // 0: closed, and with an overlapping start
          {{{.55, .01}, {.22, .13}, {.05, .5}, {.2, .88}, {.5, .99}, {.82, .85}, {.95, .48},
            {.8, .12}, {.5, .01}, {.4, .04}}},
          {{{.74, .1}, {.42, .02}, {.12, .24}, {.07, .64}, {.34, .97}, {.72, .9}, {.93, .55},
            {.85, .2}, {.6, .06}, {.4, .14}}},
      },
      {
          // 1: a bar, with a flag, with flag and foot
          {{{.5, .01}, {.5, .5}, {.5, .99}}},
          {{{.22, .24}, {.4, .14}, {.56, .01}, {.56, .01}, {.55, .5}, {.55, .99}}},
          {{{.22, .22}, {.4, .13}, {.54, .01}, {.54, .01}, {.53, .5}, {.53, .98}},
           {{.2, .98}, {.5, .97}, {.86, .98}}},
      },
      {
          // 2: with a corner at the foot, with a loop there, angular
          {{{.1, .24}, {.3, .05}, {.65, .03}, {.87, .24}, {.72, .52}, {.38, .8}, {.08, .97},
            {.08, .97}, {.5, .95}, {.95, .96}}},
          {{{.12, .2}, {.4, .02}, {.76, .1}, {.82, .36}, {.56, .7}, {.24, .93}, {.08, .88},
            {.22, .77}, {.5, .88}, {.75, .98}, {.97, .9}}},
          {{{.1, .12}, {.5, .02}, {.84, .14}, {.74, .42}, {.08, .95}, {.08, .95}, {.92, .95}}},
      },
      {
          // 3: round, round without the inner corner, with a flat top
          {{{.1, .14}, {.42, .01}, {.8, .13}, {.74, .38}, {.36, .47}, {.36, .47}, {.78, .54},
            {.91, .77}, {.56, .98}, {.08, .87}}},
          {{{.12, .1}, {.5, .01}, {.8, .18}, {.66, .42}, {.46, .48}, {.7, .53}, {.88, .74},
            {.6, .98}, {.12, .92}}},
          {{{.1, .05}, {.5, .04}, {.86, .04}, {.86, .04}, {.42, .4}, {.42, .4}, {.8, .52},
            {.9, .76}, {.56, .98}, {.08, .9}}},
      },
      {
          // 4: open, closed in one line, with a round shoulder
          {{{.24, .03}, {.17, .3}, {.08, .58}, {.08, .58}, {.5, .56}, {.95, .54}},
           {{.72, .08}, {.68, .5}, {.64, .99}}},
          {{{.68, .99}, {.69, .5}, {.7, .01}, {.7, .01}, {.36, .36}, {.04, .68}, {.04, .68},
            {.5, .67}, {.98, .66}}},
          {{{.14, .05}, {.1, .34}, {.28, .52}, {.56, .5}, {.82, .4}},
           {{.84, .03}, {.8, .5}, {.72, .99}}},
      },
      {
          // 5: with a separate roof, in one line, round like an S
          {{{.2, .06}, {.18, .25}, {.15, .45}, {.15, .45}, {.48, .37}, {.86, .54}, {.82, .86},
            {.45, .99}, {.08, .88}},
           {{.2, .06}, {.5, .05}, {.9, .03}}},
          {{{.88, .04}, {.55, .05}, {.24, .06}, {.24, .06}, {.2, .42}, {.2, .42}, {.58, .4},
            {.88, .66}, {.66, .95}, {.1, .93}}},
          {{{.86, .06}, {.46, .05}, {.22, .2}, {.34, .42}, {.7, .56}, {.84, .78}, {.55, .98},
            {.12, .88}}},
      },
      {
          // 6: curved, steep, with a small bowl
          {{{.76, .03}, {.38, .22}, {.1, .6}, {.18, .9}, {.52, .99}, {.86, .82}, {.76, .56},
            {.42, .54}, {.14, .76}}},
          {{{.6, .01}, {.3, .3}, {.1, .68}, {.22, .94}, {.58, .98}, {.84, .76}, {.62, .55},
            {.3, .62}, {.12, .82}}},
          {{{.84, .08}, {.48, .06}, {.16, .34}, {.08, .72}, {.34, .98}, {.72, .93}, {.8, .7},
            {.5, .6}, {.14, .76}}},
      },
      {
          // 7: plain, with a bar, with a serif and a curved leg
          {{{.08, .07}, {.5, .05}, {.92, .04}, {.92, .04}, {.64, .46}, {.42, .99}}},
          {{{.06, .06}, {.5, .07}, {.92, .03}, {.92, .03}, {.66, .44}, {.44, .99}},
           {{.3, .5}, {.56, .48}, {.86, .47}}},
          {{{.08, .22}, {.1, .06}, {.1, .06}, {.5, .09}, {.9, .05}, {.9, .05}, {.58, .42},
            {.46, .99}}},
      },
      {
          // 8: in one line, as two rings, as one line from the left
          {{{.82, .16}, {.52, .01}, {.2, .17}, {.38, .43}, {.74, .6}, {.86, .82}, {.5, .99},
            {.13, .82}, {.26, .6}, {.64, .4}, {.8, .18}, {.7, .06}}},
          {{{.5, .01}, {.2, .1}, {.2, .36}, {.5, .46}, {.8, .36}, {.8, .1}, {.5, .01}, {.4, .03}},
           {{.5, .46}, {.14, .58}, {.12, .86}, {.5, .99}, {.88, .86}, {.86, .58}, {.5, .46},
            {.4, .48}}},
          {{{.22, .08}, {.3, .36}, {.7, .6}, {.82, .88}, {.46, .99}, {.16, .84}, {.36, .54},
            {.76, .3}, {.68, .06}, {.36, .03}, {.2, .14}}},
      },
      {
          // 9: with a straight leg, with a curved tail, with an open head
          {{{.84, .18}, {.52, .01}, {.16, .16}, {.18, .42}, {.5, .5}, {.84, .2}, {.84, .2},
            {.82, .6}, {.78, .99}}},
          {{{.84, .14}, {.46, .02}, {.12, .22}, {.26, .48}, {.62, .44}, {.86, .16}, {.86, .16},
            {.88, .6}, {.66, .94}, {.2, .94}}},
          {{{.78, .06}, {.34, .04}, {.1, .3}, {.36, .5}, {.7, .36}, {.86, .1}, {.86, .1},
            {.76, .5}, {.5, .99}}},
      },
  }};
  // clang-format on
  return table;
}

/// SplitMix64. Integers alone, so that every machine draws the same numbers; the standard library's
/// distributions are each vendor's own.
class generator {
 public:
  explicit generator(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  std::size_t below(std::size_t n) { return static_cast<std::size_t>((bits() >> 32U) * n >> 32U); }
  double between(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits() >> 11U) * 0x1p-53);
  }
  bool chance(double probability) { return between(0, 1) < probability; }
  /// Mean 0, deviation 1, nearly normal: a sum of four, which needs no logarithm of libm.
  double spread() {
    double sum = -2;
    for (int i = 0; i < 4; ++i) sum += between(0, 1);
    return sum * 1.7320508075688772;
  }

 private:
  std::uint64_t state_;
};

/// A sine-like wave of period 1 made of parabolas: libm's sine differs between machines.
double wave(double phase) {
  const double t = phase - std::floor(phase);
  return t < 0.5 ? 16 * t * (0.5 - t) : -16 * (t - 0.5) * (1 - t);
}

/// How one hand, on one occasion, moves the box of a glyph onto the 28 x 28 pixels.
class hand {
 public:
  explicit hand(generator& random) {
    const double height = random.between(17, 21.5);
    const double width = height * random.between(0.58, 0.86);
    const double slant = random.between(-0.18, 0.42);
    // With t = tan(angle / 2), sine and cosine are rational; the angle stays within 0.24.
    const double t = random.between(-0.12, 0.12);
    const double cosine = (1 - t * t) / (1 + t * t);
    const double sine = 2 * t / (1 + t * t);
    xx_ = cosine * width;
    xy_ = -(cosine * slant + sine) * height;
    yx_ = sine * width;
    yy_ = (cosine - sine * slant) * height;
    x_ = 14 + random.between(-2.3, 2.3);
    y_ = 14 + random.between(-2.3, 2.3);
    for (bend& b : bends_) {
      b = {random.between(-1, 1), random.between(-1, 1), random.between(0, 1),
           0.5 * random.spread(), 0.9 * random.spread()};
    }
  }

  point place(point p) const {
    const double u = p.x - 0.5;
    const double v = p.y - 0.5;
    point q{x_ + xx_ * u + xy_ * v, y_ + yx_ * u + yy_ * v};
    for (const bend& b : bends_) {
      const double w = wave(b.across * u + b.down * v + b.phase);
      q.x += b.x * w;
      q.y += b.y * w;
    }
    return q;
  }

 private:
  /// A wave over the box, which moves points by up to (x, y) pixels.
  struct bend {
    double across, down, phase, x, y;
  };

  double xx_, xy_, yx_, yy_, x_, y_;
  std::array<bend, 2> bends_{};
};

/// A pen on 28 x 28 pixels; each pixel knows how deep inside the ink it lies, in pixels.
class sheet {
 public:
  sheet() { depth_.fill(-100); }

  /// Ink around the line from a to b, with a radius that goes from at_a to at_b.
  void line(point a, point b, double at_a, double at_b) {
    const double reach = std::max(at_a, at_b) + 1;
    const auto [left, right] = range(a.x, b.x, reach);
    const auto [top, bottom] = range(a.y, b.y, reach);
    const double dx = b.x - a.x;
    const double dy = b.y - a.y;
    const double square = std::max(dx * dx + dy * dy, 1e-9);
    for (std::size_t row = top; row < bottom; ++row) {
      for (std::size_t column = left; column < right; ++column) {
        const double x = static_cast<double>(column) + 0.5 - a.x;
        const double y = static_cast<double>(row) + 0.5 - a.y;
        const double t = std::clamp((x * dx + y * dy) / square, 0.0, 1.0);
        const double away_x = x - t * dx;
        const double away_y = y - t * dy;
        const double depth =
            at_a + t * (at_b - at_a) - std::sqrt(away_x * away_x + away_y * away_y);
        double& deepest = depth_[row * side + column];
        deepest = std::max(deepest, depth);
      }
    }
  }

  /// 0 is paper, 1 ink, and the edge in between is one pixel wide.
  double ink(std::size_t pixel) const { return std::clamp(depth_[pixel] + 0.5, 0.0, 1.0); }

 private:
  /// The pixels that ink within `reach` of a..b can touch.
  static std::pair<std::size_t, std::size_t> range(double a, double b, double reach) {
    const auto pixel = [](double at) {
      return static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(side)));
    };
    return {pixel(std::min(a, b) - reach), pixel(std::max(a, b) + reach + 1)};
  }

  std::array<double, side * side> depth_;
};

/// The Catmull-Rom spline through b and c, which are neighbours of a and d.
point spline(point a, point b, point c, point d, double t) {
  const auto along = [t](double p, double q, double r, double s) {
    return q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
  };
  return {along(a.x, b.x, c.x, d.x), along(a.y, b.y, c.y, d.y)};
}

bool same(point a, point b) { return a.x == b.x && a.y == b.y; }

/// A smooth piece of a stroke, between two corners or ends.
void draw_piece(sheet& sheet, std::span<const point> points, const hand& hand, double pen,
                double pressure_phase) {
  constexpr int steps = 6;
  const auto radius = [&](double along) {
    return pen * (1 + 0.16 * wave(0.23 * along + pressure_phase));
  };
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const point before = points[i == 0 ? 0 : i - 1];
    const point after = points[std::min(i + 2, points.size() - 1)];
    point from = hand.place(points[i]);
    double from_radius = radius(static_cast<double>(i));
    for (int step = 1; step <= steps; ++step) {
      const double t = static_cast<double>(step) / steps;
      const point to = hand.place(spline(before, points[i], points[i + 1], after, t));
      const double to_radius = radius(static_cast<double>(i) + t);
      sheet.line(from, to, from_radius, to_radius);
      from = to;
      from_radius = to_radius;
    }
  }
}

/// Shakes the points of a stroke; a corner stays a corner.
stroke shaken(const stroke& line, generator& random) {
  stroke result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i > 0 && same(line[i], line[i - 1])) {
      result.push_back(result.back());
    } else {
      const double x = line[i].x + 0.023 * random.spread();
      result.push_back({x, line[i].y + 0.02 * random.spread()});
    }
  }
  return result;
}

void draw_stroke(sheet& sheet, const stroke& line, const hand& hand, double pen,
                 double pressure_phase) {
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= line.size(); ++i) {
    if (i < line.size() && !same(line[i], line[i - 1])) continue;
    draw_piece(sheet, std::span(line).subspan(begin, i - begin), hand, pen, pressure_phase);
    begin = i;
  }
}

point anywhere(generator& random) {
  const double x = random.between(1, side - 1);
  return {x, random.between(1, side - 1)};
}

/// Specks and hairs: short lines of foreign ink.
void draw_dirt(sheet& sheet, generator& random) {
  for (std::size_t left = random.below(3); left > 0; --left) {
    const point a = anywhere(random);
    const double x = a.x + 1.5 * random.spread();
    const point b{x, a.y + 1.5 * random.spread()};
    const double radius = random.between(0.3, 0.9);
    sheet.line(a, b, radius, radius);
  }
}

void draw_digit(std::size_t digit, generator& random, std::span<std::uint8_t> image) {
  const std::vector<glyph>& variants = glyphs()[digit];
  const glyph& chosen = variants[random.below(variants.size())];
  const hand hand(random);
  const double pen = random.between(0.95, 1.85);
  sheet ink;
  for (const stroke& line : chosen) {
    const stroke moved = shaken(line, random);
    draw_stroke(ink, moved, hand, pen, random.between(0, 1));
  }
  draw_dirt(ink, random);
  // Some digits have a streak where the ink did not take.
  sheet streak;
  if (random.chance(0.15)) {
    const point a = anywhere(random);
    const double radius = random.between(0.5, 1.2);
    streak.line(a, anywhere(random), radius, radius);
  }
  const double blackness = random.between(190, 255);
  const double grain = random.between(3, 13);
  for (std::size_t pixel = 0; pixel < image.size(); ++pixel) {
    const double value =
        blackness * ink.ink(pixel) * (1 - 0.85 * streak.ink(pixel)) + grain * random.spread();
    image[pixel] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
  }
}

}  // namespace

drawn_digits draw_digits(std::size_t n, std::uint64_t seed) {
  drawn_digits result{std::vector<std::uint8_t>(n * side * side), std::vector<std::uint8_t>(n)};
  // Digits of neighbouring seeds must not repeat each other, so the seed is stirred first.
  const std::uint64_t stirred = generator(seed).bits();
  std::array<std::uint8_t, 10> order{};
  for (std::size_t i = 0; i < n; ++i) {
    generator random(stirred ^ generator(i).bits());
    if (i % order.size() == 0) {
      for (std::size_t k = 0; k < order.size(); ++k) {
        const std::size_t other = random.below(k + 1);
        order[k] = order[other];
        order[other] = static_cast<std::uint8_t>(k);
      }
    }
    result.labels[i] = order[i % order.size()];
    draw_digit(result.labels[i], random,
               std::span(result.images).subspan(i * side * side, side * side));
  }
  return result;
}
