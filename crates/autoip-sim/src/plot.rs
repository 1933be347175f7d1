//! Charts as SVG: lines and marks over two axes, each linear or logarithmic. No more than the
//! experiments need, and nothing that a browser has to fetch.

use std::fmt::Write;

use crate::statistic::{Sample, Share};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 58.0;
/// Colours that differ for colour-blind readers as well, after Okabe and Ito.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    Log,
}

/// One of the two axes.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) scale: Scale,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A line with marks.
    Line,
    /// A dashed line with marks, for what may lie on another line.
    Dashes,
    /// A dashed line without marks: what theory says.
    Theory,
    /// Marks alone.
    Marks,
}

impl Style {
    fn has_marks(self) -> bool {
        match self {
            Self::Line | Self::Dashes | Self::Marks => true,
            Self::Theory => false,
        }
    }

    /// How its line is stroked, if it has one.
    fn stroke(self) -> Option<&'static str> {
        match self {
            Self::Line => Some(""),
            Self::Dashes => Some(" stroke-dasharray=\"6 3\""),
            Self::Theory => Some(" stroke-dasharray=\"5 4\""),
            Self::Marks => None,
        }
    }
}

/// Points that belong together. A point has an interval where `low` and `high` differ; one that a
/// logarithmic axis has no place for, since it is zero, shows as the upper end of its interval with
/// an arrow from there. Without a label a series is not in the legend.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) style: Style,
    pub(crate) points: Vec<Point>,
}

/// A point with its interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Point {
    pub(crate) fn new(x: f64, y: f64) -> Self {
        Self { x, y, low: y, high: y }
    }

    /// A share in percent.
    pub(crate) fn percent(x: f64, share: &Share) -> Self {
        let [y, low, high] = [share.value, share.low, share.high].map(|value| value * 100.0);
        Self { x, y, low, high }
    }

    /// The mean of a sample.
    pub(crate) fn mean(x: f64, sample: &Sample) -> Self {
        let (low, high) = sample.interval();
        Self { x, y: sample.mean(), low, high }
    }
}

/// A chart.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
}

/// An axis with the range that it shows.
struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Ruler {
    /// A ruler from pixel `from` to pixel `to` that shows all of `values`.
    fn new(scale: Scale, values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let usable = values.filter(|&value| scale == Scale::Linear || value > 0.0);
        let low = usable.clone().fold(f64::INFINITY, f64::min);
        let high = usable.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        let (low, high) = match scale {
            Scale::Linear => {
                let low = low.min(0.0);
                let step = step(high - low);
                (low, ((high / step).ceil() * step).max(low + step))
            }
            Scale::Log => {
                let low = 10_f64.powf(low.log10().floor());
                (low, 10_f64.powf(high.log10().ceil()).max(low * 10.0))
            }
        };
        Self { scale, low, high, from, to }
    }

    /// Whether the axis has a place for `value`.
    fn shows(&self, value: f64) -> bool {
        self.scale == Scale::Linear || value > 0.0
    }

    fn pixel(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => {
                let value = value.max(self.low);
                (value / self.low).log10() / (self.high / self.low).log10()
            }
        };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        match self.scale {
            Scale::Linear => {
                let step = step(self.high - self.low);
                let mut tick = self.low;
                while tick <= self.high + step / 1000.0 {
                    ticks.push(tick);
                    tick += step;
                }
            }
            Scale::Log => {
                let mut tick = self.low;
                while tick <= self.high * 1.001 {
                    ticks.push(tick);
                    tick *= 10.0;
                }
            }
        }
        ticks
    }
}

/// A round distance between ticks, for about six of them.
fn step(span: f64) -> f64 {
    let rough = (span / 6.0).max(1e-12);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

/// A number as short as it can be read.
fn text_of(value: f64) -> String {
    if value != 0.0 && (value.abs() < 0.001 || value.abs() >= 1e6) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Chart {
    /// The chart as an SVG file.
    pub(crate) fn to_svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Ruler::new(self.x.scale, points().map(|p| p.x), LEFT, WIDTH - RIGHT);
        let heights = points().flat_map(|p| [p.y, p.low, p.high]);
        let y = Ruler::new(self.y.scale, heights, HEIGHT - BOTTOM, TOP);
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{}</text>\n",
            escaped(self.title)
        );
        self.draw_axes(&mut svg, &x, &y);
        let (mut measured, mut labels) = (0, 0);
        for series in &self.series {
            // Theory has the colour of what it is the theory of, which stands before it.
            measured += usize::from(series.style != Style::Theory);
            let colour = COLOURS[measured.saturating_sub(1) % COLOURS.len()];
            draw(&mut svg, series, colour, &x, &y);
            if !series.label.is_empty() {
                label(&mut svg, series, colour, labels);
                labels += 1;
            }
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_axes(&self, svg: &mut String, x: &Ruler, y: &Ruler) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in x.ticks() {
            let at = x.pixel(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#e5e5e5\"/>\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                text_of(tick)
            );
        }
        for tick in y.ticks() {
            let at = y.pixel(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#e5e5e5\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                at + 4.0,
                text_of(tick)
            );
        }
        let middle = (TOP + bottom) / 2.0;
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#333333\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text transform=\"translate(18 {middle:.1}) rotate(-90)\" \
             text-anchor=\"middle\">{}</text>\n",
            (LEFT + right) / 2.0,
            HEIGHT - 16.0,
            escaped(self.x.label),
            escaped(self.y.label)
        );
    }
}

fn draw(svg: &mut String, series: &Series, colour: &str, x: &Ruler, y: &Ruler) {
    let line: Vec<String> = series
        .points
        .iter()
        .filter(|point| y.shows(point.y))
        .map(|point| format!("{:.1} {:.1}", x.pixel(point.x), y.pixel(point.y)))
        .collect();
    if let Some(dashes) = series.style.stroke()
        && line.len() > 1
    {
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"{dashes}/>",
            line.join("L")
        );
    }
    if series.style.has_marks() {
        for point in &series.points {
            mark(svg, point, colour, x, y);
        }
    }
}

/// A point and its interval, or the upper bound where there is no place for the point.
fn mark(svg: &mut String, point: &Point, colour: &str, x: &Ruler, y: &Ruler) {
    let at = x.pixel(point.x);
    let (low, high) = (y.pixel(point.low), y.pixel(point.high));
    if y.shows(point.y) {
        if point.low < point.high {
            let _ = write!(svg, "<path d=\"M{at:.1} {low:.1}V{high:.1}\" stroke=\"{colour}\"/>");
        }
        let up = y.pixel(point.y);
        let _ = writeln!(svg, "<circle cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"3\" fill=\"{colour}\"/>");
    } else if y.shows(point.high) {
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {high:.1}h10m-5 0v16m-4 -6l4 6l4 -6\" fill=\"none\" \
             stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            at - 5.0
        );
    }
}

/// A line of the legend.
fn label(svg: &mut String, series: &Series, colour: &str, number: u32) {
    let (left, at) = (WIDTH - RIGHT + 14.0, TOP + 8.0 + 20.0 * f64::from(number));
    if let Some(dashes) = series.style.stroke() {
        let _ = write!(
            svg,
            "<path d=\"M{left} {at}h24\" stroke=\"{colour}\" stroke-width=\"1.8\"{dashes}/>"
        );
    }
    if series.style.has_marks() {
        let middle = left + 12.0;
        let _ = write!(svg, "<circle cx=\"{middle}\" cy=\"{at}\" r=\"3\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\">{}</text>",
        left + 30.0,
        at + 4.0,
        escaped(&series.label)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: Scale) -> Chart {
        let points = vec![Point::new(1.0, 2.0), Point { x: 100.0, y: 5.0, low: 4.0, high: 6.0 }];
        Chart {
            title: "a < b",
            x: Axis { label: "x", scale },
            y: Axis { label: "y", scale },
            series: vec![Series { label: "one".to_owned(), style: Style::Line, points }],
        }
    }

    #[test]
    fn every_point_lies_within_the_axes() {
        for scale in [Scale::Linear, Scale::Log] {
            let x = Ruler::new(scale, [1.0, 100.0].into_iter(), LEFT, WIDTH - RIGHT);
            for value in [1.0, 3.0, 100.0] {
                assert!((LEFT..=WIDTH - RIGHT).contains(&x.pixel(value)), "{scale:?} {value}");
            }
            assert!(x.pixel(1.0) < x.pixel(3.0) && x.pixel(3.0) < x.pixel(100.0));
            assert!(x.ticks().len() >= 3, "{:?}", x.ticks());
        }
    }

    #[test]
    fn a_chart_is_whole_and_its_text_is_escaped() {
        let svg = chart(Scale::Log).to_svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b"));
        // The third is in the legend.
        assert_eq!(svg.matches("<circle").count(), 3);
    }

    #[test]
    fn a_legend_shows_what_is_drawn() {
        let legend = |style| {
            let mut chart = chart(Scale::Linear);
            chart.series[0].style = style;
            let svg = chart.to_svg();
            let line = svg.lines().find(|line| line.ends_with(">one</text>")).unwrap().to_owned();
            (line.contains("<path"), line.contains("<circle"), line.contains("dasharray"))
        };
        assert_eq!(legend(Style::Line), (true, true, false));
        assert_eq!(legend(Style::Dashes), (true, true, true));
        assert_eq!(legend(Style::Theory), (true, false, true));
        assert_eq!(legend(Style::Marks), (false, true, false));
    }

    #[test]
    fn zero_on_a_logarithmic_axis_is_an_upper_bound_and_no_point() {
        let count = |scale| {
            let mut chart = chart(scale);
            let none = Point { x: 10.0, y: 0.0, low: 0.0, high: 3.0 };
            chart.series[0].points.insert(1, none);
            let svg = chart.to_svg();
            (svg.matches("<circle").count(), svg.matches("v16").count())
        };
        assert_eq!(count(Scale::Linear), (4, 0));
        assert_eq!(count(Scale::Log), (3, 1));
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.25, 1.0, 1500.0, 0.000_01].map(text_of);
        assert_eq!(texts, ["0", "0.25", "1", "1500", "1e-5"]);
    }
}
