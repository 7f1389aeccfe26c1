//! Where each token goes: the line breaks stay as they are, everything between tokens and in front of lines is made anew.

use super::lines::Line;
use super::scan::{Kind, Token};

/// Spaces for each level of lists and maps.
const STEP: usize = 2;

/// A list or map in block style that is open.
struct Level {
    /// The column in which its entries stood.
    old: usize,
    /// The column in which they stand.
    new: usize,
    /// Whether its entries begin with `-`.
    list: bool,
}

/// A list or map in brackets that is open.
struct Brackets {
    /// The column of the opening one.
    column: usize,
    /// The column of what follows on the same line: further lines begin below it.
    first: Option<usize>,
    /// Where the closing one stands on a line of its own, if further lines don't stand below what follows the opening
    /// one; such lines are a step further in.
    base: usize,
}

impl Brackets {
    /// Where a line inside begins.
    fn inside(&self) -> usize {
        self.first.unwrap_or(self.base + STEP)
    }
}

/// The lines so far, and what is open behind them.
#[derive(Default)]
pub(super) struct Layout {
    done: Vec<Line>,
    line: Line,
    levels: Vec<Level>,
    brackets: Vec<Brackets>,
    /// The first token from here on that is no comment.
    next: usize,
}

/// The lines of all tokens.
pub(super) fn lines(tokens: &[Token<'_>]) -> Vec<Line> {
    let mut layout = Layout::default();
    for at in 0..tokens.len() {
        while layout.next < tokens.len() && (layout.next < at || matches!(tokens[layout.next].kind, Kind::Comment)) {
            layout.next += 1;
        }
        layout.place(tokens, at);
    }
    layout.end_line();
    layout.done
}

impl Layout {
    fn place(&mut self, tokens: &[Token<'_>], at: usize) {
        let (token, before) = (&tokens[at], at.checked_sub(1).map(|at| &tokens[at]));
        let empty = matches!((before.map(|t| &t.kind), &token.kind), (Some(Kind::Open), Kind::Close));
        let begins = before.is_none() || token.breaks > 0 && !empty;
        if begins && before.is_some() {
            self.end_line();
            if token.breaks > 1 {
                self.done.push(Line::default());
            }
        }
        if let (Kind::Comment, false) = (&token.kind, begins) {
            self.line.comment = Some((token.text.to_owned(), token.column));
            return;
        }
        let column = if begins { None } else { Some(self.line.width() + gap(before, token)) };
        let indent = self.column_of(tokens, at, column);
        match column {
            None => self.line.indent = indent,
            Some(_) => self.line.push(&" ".repeat(gap(before, token))),
        }
        self.write(token);
    }

    fn end_line(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
    }

    /// Where a token goes: `inline` if it doesn't begin a line. Opens and closes the lists and maps that it is a part of.
    fn column_of(&mut self, tokens: &[Token<'_>], at: usize, inline: Option<usize>) -> usize {
        let token = &tokens[at];
        if let Some(brackets) = self.brackets.last_mut() {
            let first = matches!(tokens[at - 1].kind, Kind::Open) && !matches!(token.kind, Kind::Close);
            if let (Some(column), true) = (inline, first) {
                brackets.first = Some(column);
            }
            let begins = match token.kind {
                Kind::Close if brackets.first.is_some() => brackets.column,
                Kind::Close => brackets.base,
                _ => brackets.inside(),
            };
            return inline.unwrap_or(begins);
        }
        match token.kind {
            Kind::Comment => self.beside(tokens, at),
            _ => match entry(tokens, at) {
                Some(list) => self.enter(token.column, list, inline),
                None => inline.unwrap_or_else(|| self.value()),
            },
        }
    }

    /// Where a value begins that stands on a line of its own, and where the further lines of one begin.
    fn value(&self) -> usize {
        match self.brackets.last() {
            Some(brackets) => brackets.inside(),
            None => self.levels.last().map_or(0, |level| level.new + STEP),
        }
    }

    /// The column of an entry that stood in column `old`, in the list or map that it belongs to.
    fn enter(&mut self, old: usize, list: bool, inline: Option<usize>) -> usize {
        let kept = self.levels.iter().take_while(|level| encloses(level, old, list)).count();
        self.levels.truncate(kept);
        match self.levels.last() {
            Some(level) if level.old == old && level.list == list => level.new,
            parent => {
                let new = inline.unwrap_or_else(|| parent.map_or(0, |parent| parent.new + STEP));
                self.levels.push(Level { old, new, list });
                new
            }
        }
    }

    /// The column of a comment on a line of its own: that of what follows, or of the innermost list or map before it
    /// that the comment stood in and that ends here.
    fn beside(&self, tokens: &[Token<'_>], at: usize) -> usize {
        let (old, new) = match tokens.get(self.next).map(|next| (next.column, entry(tokens, self.next))) {
            None => (0, 0),
            Some((_, None)) => return self.value(),
            Some((old, Some(list))) => {
                let enclosing = self.levels.iter().take_while(|level| encloses(level, old, list)).last();
                let new = match enclosing {
                    Some(level) if level.old == old && level.list == list => level.new,
                    parent => parent.map_or(0, |parent| parent.new + STEP),
                };
                (old, new)
            }
        };
        let ends = |level: &&Level| level.old > old && level.old <= tokens[at].column;
        self.levels.iter().rev().find(ends).map_or(new, |level| level.new)
    }

    /// Writes a token behind what stands in the line.
    fn write(&mut self, token: &Token<'_>) {
        match &token.kind {
            Kind::Open => {
                // All of it must be further in than the list or map around it, the closing bracket too (YAML 1.2.2
                // section 7.4).
                let base = self.levels.last().map_or(0, |level| level.new + STEP).max(self.line.indent);
                self.brackets.push(Brackets { column: self.line.width(), first: None, base });
                self.line.push(token.text);
            }
            Kind::Close => {
                self.brackets.pop();
                self.line.push(token.text);
            }
            Kind::Scalar => self.scalar(token.text),
            Kind::Block { comment, lines } => self.block(token.text, *comment, lines),
            _ => self.line.push(token.text),
        }
    }

    /// The further lines of a scalar are indented, which means nothing inside of one.
    fn scalar(&mut self, text: &str) {
        let indent = self.value();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for (i, piece) in text.split('\n').enumerate() {
            let piece = if i > 0 { piece.trim_start_matches([' ', '\t']) } else { piece };
            let trimmed = piece.trim_end_matches([' ', '\t']);
            // A space behind a backslash is a part of the text.
            let piece = if trimmed.ends_with('\\') { piece } else { trimmed };
            if i > 0 {
                self.end_line();
                self.line.indent = indent;
            }
            self.line.push(piece);
        }
    }

    fn block(&mut self, header: &str, comment: Option<(&str, usize)>, lines: &[&str]) {
        self.line.push(header);
        self.line.comment = comment.map(|(text, column)| (text.to_owned(), column));
        let step = header.chars().find_map(|c| c.to_digit(10)).map_or(STEP, |digit| digit as usize);
        let indent = self.levels.last().map_or(0, |level| level.new + step);
        for line in lines {
            self.end_line();
            self.line = Line::new(indent, line);
        }
    }
}

/// Whether an entry that stood in this column is inside of a list or map, or one of its own entries. A list may stand
/// in the column of the key that it belongs to.
fn encloses(level: &Level, old: usize, list: bool) -> bool {
    level.old < old || level.old == old && (level.list == list || list)
}

/// Outside of brackets: whether a token begins an entry of a list (`true`) or of a map (`false`), if it does.
fn entry(tokens: &[Token<'_>], at: usize) -> Option<bool> {
    let key = || tokens.get(at + 1).is_some_and(|next| matches!(next.kind, Kind::Colon) && next.breaks == 0);
    match tokens[at].kind {
        Kind::Dash => Some(true),
        Kind::Question => Some(false),
        Kind::Colon => (tokens[at].breaks > 0).then_some(false),
        Kind::Scalar => key().then_some(false),
        _ => None,
    }
}

/// Spaces between two tokens of a line.
fn gap(before: Option<&Token<'_>>, token: &Token<'_>) -> usize {
    let Some(before) = before else {
        return 0;
    };
    match (&before.kind, &token.kind) {
        (_, Kind::Comma | Kind::Colon) => 0,
        (Kind::Open, _) if before.text == "[" => 0,
        (Kind::Open, Kind::Close) => 0,
        (_, Kind::Close) if token.text == "]" => 0,
        _ => 1,
    }
}
