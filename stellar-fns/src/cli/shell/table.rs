//! Tables as text, columns aligned by what they take on a terminal, long cells wrapped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A heading, a rule, the rows; cells wider than `wrap` go on below.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>], wrap: usize) -> String {
    let heading: Vec<String> = heading.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<Vec<String>>> =
        std::iter::once(&heading).chain(rows).map(|row| row.iter().map(|cell| wrapped(cell, wrap)).collect()).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).flatten().map(|line| line.width()).max();
    let widths: Vec<usize> = (0..heading.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        let height = row.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| {
                let text = cell.get(line).map_or("", String::as_str);
                format!("{text}{}", " ".repeat(width - text.width()))
            });
            let cells: Vec<String> = cells.collect();
            out.push_str(cells.join(" | ").trim_end());
            out.push('\n');
        }
        if index == 0 {
            let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
            out.push_str(&rules.join("-+-"));
            out.push('\n');
        }
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

fn wrapped(cell: &str, wrap: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in cell.split('\n') {
        let (mut part, mut width) = (String::new(), 0);
        for char in line.chars() {
            let char = if char.is_control() { ' ' } else { char };
            let takes = char.width().unwrap_or(1);
            if width + takes > wrap.max(2) {
                lines.push(std::mem::take(&mut part));
                width = 0;
            }
            part.push(char);
            width += takes;
        }
        lines.push(part);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_long_cells_wrapped() {
        let rows = vec![vec!["日本".to_owned(), "abcdef".to_owned()], vec!["x".to_owned(), "1".to_owned()]];
        assert_eq!(table(&["KEY", "V"], &rows, 4), "KEY  | V\n-----+-----\n日本 | abcd\n     | ef\nx    | 1");
    }
}
