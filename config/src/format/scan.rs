//! A text of YAML as its tokens: the scalars are those that the parser finds, what stands between them is signs, line
//! breaks and comments. Only for texts that the loader can compose: no anchors, tags or second documents.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::Position;

/// A token and where it stands.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    /// As written; of a block scalar its first line, without a comment.
    pub(super) text: &'t str,
    /// Characters before it in its line.
    pub(super) column: usize,
    /// Line breaks between the token before and this one.
    pub(super) breaks: usize,
}

#[derive(Debug)]
pub(super) enum Kind<'t> {
    /// `-`
    Dash,
    /// `?`
    Question,
    Colon,
    Comma,
    /// `{` or `[`
    Open,
    /// `}` or `]`
    Close,
    Comment,
    /// Quoted or not, perhaps over several lines.
    Scalar,
    /// A block scalar's lines without their indentation, and the column of its comment where its first line has one.
    Block {
        comment: Option<(&'t str, usize)>,
        lines: Vec<&'t str>,
    },
}

/// The place of something that this scanner doesn't know.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) at: Position,
}

/// A scalar that the parser finds: from where to where in characters, and what it means.
struct Found {
    start: usize,
    end: usize,
    style: ScalarStyle,
    value: String,
}

/// The tokens of the whole text; markers of a document's start and end are left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Unknown> {
    let mut found = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            // An empty one is a value that is not there.
            Ok((Event::Scalar(value, style, ..), _)) if style == ScalarStyle::Plain && value.is_empty() => {}
            Ok((Event::Scalar(value, style, ..), marks)) => {
                let (start, end) = (marks.start.index(), marks.end.index());
                found.push(Found { start, end, style, value: value.into_owned() });
            }
            Ok(_) => {}
            Err(_) => return Err(Unknown { at: Position::START }),
        }
    }
    let mut scan = Scan { text, at: 0, index: 0, line: 1, column: 0, breaks: 0, tokens: Vec::new() };
    let mut found = found.iter().peekable();
    while let Some(sign) = scan.sign() {
        if let Some(scalar) = found.next_if(|scalar| scalar.start == scan.index && !is_block(scalar.style)) {
            scan.scalar(scalar.end);
        } else if let Some(scalar) = found.next_if(|scalar| matches!(sign, '|' | '>') && is_block(scalar.style)) {
            scan.block(&scalar.value)?;
        } else {
            scan.between(sign)?;
        }
    }
    match found.next() {
        None => Ok(scan.tokens),
        Some(_) => Err(scan.unknown()),
    }
}

fn is_block(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

struct Scan<'t> {
    text: &'t str,
    /// Where it is, in bytes and in characters.
    at: usize,
    index: usize,
    /// The line, from 1, and the characters before it in that line.
    line: usize,
    column: usize,
    /// Line breaks since the last token.
    breaks: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn sign(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn unknown(&self) -> Unknown {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Unknown { at: Position { line: narrow(self.line), column: narrow(self.column + 1), ..Position::START } }
    }

    /// Passes one character, or a line break of two.
    fn step(&mut self, sign: char) {
        let two = self.rest().starts_with("\r\n");
        (self.at, self.index) = (self.at + sign.len_utf8() + usize::from(two), self.index + 1 + usize::from(two));
        if matches!(sign, '\n' | '\r') {
            (self.line, self.column, self.breaks) = (self.line + 1, 0, self.breaks + 1);
        } else {
            self.column += 1;
        }
    }

    /// Passes `bytes` bytes, which end between two characters.
    fn pass(&mut self, bytes: usize) -> &'t str {
        let begin = self.at;
        while self.at < begin + bytes
            && let Some(sign) = self.sign()
        {
            self.step(sign);
        }
        &self.text[begin..self.at]
    }

    /// A sign, a comment or white space.
    fn between(&mut self, sign: char) -> Result<(), Unknown> {
        let marker = self.column == 0 && (self.rest().starts_with("---") || self.rest().starts_with("..."));
        let kind = match sign {
            _ if marker => {
                self.pass(3);
                return Ok(());
            }
            ' ' | '\t' | '\n' | '\r' => {
                self.step(sign);
                return Ok(());
            }
            '#' => Kind::Comment,
            '-' => Kind::Dash,
            '?' => Kind::Question,
            ':' => Kind::Colon,
            ',' => Kind::Comma,
            '{' | '[' => Kind::Open,
            '}' | ']' => Kind::Close,
            _ => return Err(self.unknown()),
        };
        let bytes = if sign == '#' { self.line_length() } else { 1 };
        self.token(kind, bytes);
        Ok(())
    }

    /// Bytes to the end of the line.
    fn line_length(&self) -> usize {
        self.rest().find(['\n', '\r']).unwrap_or(self.rest().len())
    }

    fn token(&mut self, kind: Kind<'t>, bytes: usize) {
        let (column, breaks) = (self.column, self.breaks);
        let text = self.pass(bytes).trim_end_matches([' ', '\t', '\n', '\r']);
        self.tokens.push(Token { kind, text, column, breaks });
        self.breaks = 0;
    }

    /// A scalar up to this character. The parser counts white space behind it in.
    fn scalar(&mut self, end: usize) {
        let signs = end.saturating_sub(self.index);
        let bytes = self.rest().char_indices().nth(signs).map_or(self.rest().len(), |(bytes, _)| bytes);
        let bytes = self.rest()[..bytes].trim_end_matches([' ', '\t', '\n', '\r']).len();
        self.token(Kind::Scalar, bytes);
    }

    /// A block scalar, whose indentation shows where its value begins.
    fn block(&mut self, value: &str) -> Result<(), Unknown> {
        let unknown = self.unknown();
        let length = self.line_length();
        let header = &self.rest()[..length];
        let bytes = header.find(" #").or(header.find("\t#")).unwrap_or(length);
        let keep = header[..bytes].contains('+');
        self.token(Kind::Block { comment: None, lines: Vec::new() }, bytes);
        self.pass(length - bytes - header[bytes..].trim_start().len());
        let column = self.column;
        let comment = Some(self.pass(self.line_length()).trim_end()).filter(|text| !text.is_empty());

        let (lines, bytes) = content(self.rest(), value, keep).ok_or(unknown)?;
        if let Some(Token { kind, .. }) = self.tokens.last_mut() {
            *kind = Kind::Block { comment: comment.map(|text| (text, column)), lines };
        }
        self.pass(bytes);
        self.breaks = 0;
        Ok(())
    }
}

/// The lines of a block scalar without their indentation, and how many bytes of the text behind its first line they
/// take, the last line's break not counted. `None`: its indentation can't be told.
fn content<'t>(text: &'t str, value: &str, keep: bool) -> Option<(Vec<&'t str>, usize)> {
    let blank = |line: &str| line.bytes().all(|b| b == b' ');
    let spaces = |line: &str| line.bytes().take_while(|&b| b == b' ').count();
    let Some(filled) = value.split('\n').find(|line| !blank(line)) else {
        // Nothing but line breaks: of these only the kept ones count.
        let breaks = if keep { value.len() } else { 0 };
        return value.bytes().all(|b| b == b'\n').then(|| empty(text, breaks));
    };
    let indentation = lines(text).find(|(line, _)| !blank(line)).map(|(line, _)| spaces(line))?;
    let indentation = indentation.checked_sub(spaces(filled))?;
    let (mut kept, mut taken, mut last) = (Vec::new(), 0, 0);
    for (line, end) in lines(text).skip(1) {
        if blank(line) && line.len() <= indentation {
            kept.push("");
        } else if spaces(line) >= indentation {
            kept.push(&line[indentation..]);
            (taken, last) = (end, kept.len());
        } else {
            break;
        }
        if keep && line.len() <= indentation {
            (taken, last) = (end, kept.len());
        }
    }
    // A line break at the end of the text begins no line.
    if keep && text.ends_with(['\n', '\r']) && taken == text.len() {
        last -= 1;
        taken -= if text.ends_with("\r\n") { 2 } else { 1 };
    }
    kept.truncate(last);
    Some((kept, taken))
}

/// So many empty lines.
fn empty(text: &str, breaks: usize) -> (Vec<&str>, usize) {
    let end = lines(text).skip(1).take(breaks).last().map_or(0, |(_, end)| end);
    (vec![""; breaks], end)
}

/// The lines of a text, each with where it ends.
fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut begin = Some(0);
    std::iter::from_fn(move || {
        let start = begin?;
        let end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let width = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        begin = (end < text.len()).then_some(end + width);
        Some((&text[start..end], end))
    })
}
