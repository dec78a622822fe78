//! Line charts, one above the other, as SVG.

use std::fmt::{self, Write as _};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 34.0;
/// Colours that people tell apart who see few of them.
const COLOURS: [&str; 4] = ["#d55e00", "#0072b2", "#009e73", "#555555"];

/// One chart: lines over the same steps.
#[derive(Debug, Clone)]
pub(crate) struct Chart<'a> {
    /// What is shown, with its unit.
    pub(crate) title: String,
    /// Each line, with its name.
    pub(crate) lines: Vec<(&'a str, Vec<f64>)>,
}

/// The charts as a document.
pub(crate) fn document(charts: &[Chart<'_>]) -> String {
    let height = HEIGHT * charts.len() as f64;
    let mut text = String::new();
    // Writing to a string can't fail.
    _ = draw(&mut text, charts, height);
    text
}

fn draw(out: &mut String, charts: &[Chart<'_>], height: f64) -> fmt::Result {
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">"#
    )?;
    writeln!(out, r##"<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>"##)?;
    for (at, chart) in charts.iter().enumerate() {
        writeln!(out, r#"<g transform="translate(0 {})">"#, HEIGHT * at as f64)?;
        chart.draw(out)?;
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")
}

impl Chart<'_> {
    fn draw(&self, out: &mut String) -> fmt::Result {
        let all =
            || self.lines.iter().flat_map(|(_, values)| values).copied().filter(|value| value.is_finite());
        let highest = all().fold(0.0, f64::max);
        let unit = tick(highest);
        let top = (highest / unit).ceil().max(1.0) * unit;
        let steps = self.lines.iter().map(|(_, values)| values.len()).max().unwrap_or(0).max(1);
        let x = |step: f64| LEFT + (WIDTH - LEFT - RIGHT) * step / steps as f64;
        let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;

        writeln!(out, r#"<text x="{LEFT}" y="20" font-weight="bold">{}</text>"#, escaped(&self.title))?;
        for mark in 0..=(top / unit).round() as u32 {
            let value = f64::from(mark) * unit;
            let (at, label) = (y(value), (1e6 * value).round() / 1e6);
            writeln!(out, r##"<path d="M{LEFT} {at:.1}H{:.1}" stroke="#dddddd"/>"##, WIDTH - RIGHT)?;
            writeln!(
                out,
                r#"<text x="{}" y="{:.1}" text-anchor="end">{label}</text>"#,
                LEFT - 6.0,
                at + 4.0
            )?;
        }
        for quarter in 0..=4 {
            let step = steps * quarter / 4;
            let (at, below) = (x(step as f64), HEIGHT - BOTTOM + 18.0);
            writeln!(out, r#"<text x="{at:.1}" y="{below}" text-anchor="middle">{step}</text>"#)?;
        }
        for (at, (name, values)) in self.lines.iter().enumerate() {
            let colour = COLOURS[at % COLOURS.len()];
            let points = values.iter().enumerate().filter(|(_, value)| value.is_finite());
            let mut path = String::new();
            for (step, value) in points {
                let pen = if path.is_empty() { 'M' } else { 'L' };
                write!(path, "{pen}{:.1} {:.1}", x(step as f64), y(*value))?;
            }
            writeln!(out, r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>"#)?;
            let (left, down) = (WIDTH - RIGHT + 10.0, TOP + 18.0 * (at as f64 + 0.5));
            writeln!(out, r#"<text x="{left}" y="{down}" fill="{colour}">{}</text>"#, escaped(name))?;
        }
        Ok(())
    }
}

/// A round number of which a few make up `highest`.
fn tick(highest: f64) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf((highest / 4.0).log10().floor());
    [1.0, 2.0, 5.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|unit| 4.0 * unit >= highest)
        .unwrap_or(10.0 * power)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_round_marks_reach_the_highest_value() {
        for (highest, unit) in [(0.0, 1.0), (3.9, 1.0), (4.1, 2.0), (17.0, 5.0), (39.0, 10.0), (0.4, 0.1)] {
            assert!((tick(highest) / unit - 1.0).abs() < 1e-9, "{highest}: {}", tick(highest));
        }
    }

    #[test]
    fn what_is_no_number_is_left_out_and_text_is_escaped() {
        let lines = vec![("a<b & c", vec![1.0, f64::NAN, f64::INFINITY, 2.0])];
        let text = document(&[Chart { title: "x > 0".to_owned(), lines }]);
        assert!(text.contains("a&lt;b &amp; c") && text.contains("x &gt; 0"));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
