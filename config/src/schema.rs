//! The JSON Schema of the file, for editors: written from the field tables, as the decoder and the reference are. It
//! must never refuse what the loader accepts; what it can't say (names that must exist or be unique, sums, files) is
//! left to `ringgate check`.

mod numbers;
mod texts;
mod value;

use crate::decode::TABLES;
use crate::form::Form;
use crate::node;
use crate::table::{Alternatives, Presence, Row, Rows};
use crate::units;
use value::Json;

/// How a switch is written.
const SWITCH: [&str; 4] = ["on", "off", "true", "false"];

/// The schema of a main file, draft 2020-12, as indented JSON with a line break at its end. The schema of an included
/// file is its definition `FILE`.
pub fn json() -> String {
    let mut schema = vec![("$schema", Json::text("https://json-schema.org/draft/2020-12/schema"))];
    let mut definitions = vec![("reference".to_owned(), reference())];
    for table in TABLES {
        if table.path().is_empty() {
            schema.push(("title", Json::text("Ringgate configuration")));
            schema.extend(object(table));
        } else {
            let title = ("title", Json::text(table.path()));
            definitions.push((name_of(table), Json::object([title].into_iter().chain(object(table)))));
        }
    }
    schema.push(("$defs", Json::Object(definitions)));
    format!("{}\n", Json::object(schema))
}

/// A variable of the environment may stand in any value: what it is then can't be told.
fn reference() -> Json {
    Json::object([
        ("description", Json::text("A value with `${NAME}` or `${NAME:-default}` from the environment.")),
        ("type", Json::text("string")),
        ("pattern", Json::text(texts::REFERENCE)),
    ])
}

/// The name of a table's definition: its path without signs that mean something in a reference.
fn name_of(table: &dyn Rows) -> String {
    table.path().replace("[]", ".ITEM")
}

/// A map with fixed keys. Those that have not landed are not among them, and so are refused as unknown ones are.
fn object(table: &dyn Rows) -> Vec<(&'static str, Json)> {
    let rows = table.rows();
    let required = rows.iter().filter(|row| row.presence == Presence::Required);
    let required: Vec<Json> = required.map(|row| Json::text(row.key)).collect();
    let properties = rows.iter().map(|row| (row.key.to_owned(), property(table, row))).collect();
    let mut schema = vec![
        ("description", Json::text(table.doc())),
        ("type", Json::text("object")),
        ("properties", Json::Object(properties)),
    ];
    if !required.is_empty() {
        schema.push(("required", Json::List(required)));
    }
    schema.push(("additionalProperties", Json::Bool(false)));
    let alternatives: Vec<Json> = table.alternatives().iter().map(one_of).collect();
    if !alternatives.is_empty() {
        schema.push(("allOf", Json::List(alternatives)));
    }
    schema
}

/// Of some keys, one: or none, if that may be.
fn one_of(alternatives: &Alternatives) -> Json {
    // Some validators want a key to be defined where it is required.
    let required = |key: &&str| {
        let defined = Json::Object(vec![((*key).to_owned(), Json::Bool(true))]);
        Json::object([("properties", defined), ("required", Json::List(vec![Json::text(key)]))])
    };
    let mut cases: Vec<Json> = alternatives.keys.iter().map(required).collect();
    if alternatives.optional {
        let any = Json::object([("anyOf", Json::List(alternatives.keys.iter().map(required).collect()))]);
        cases.push(Json::object([("not", any)]));
    }
    Json::object([("oneOf", Json::List(cases))])
}

/// One key: what an editor shows of it, then what it takes.
fn property(table: &dyn Rows, row: &Row) -> Json {
    let Row { key, form, presence, doc, example, exceeding } = row;
    let mut description = (*doc).to_owned();
    let limits = form.limits();
    if !limits.is_empty() {
        description.push_str(&format!("\n\nAllowed: {limits}."));
    }
    if let Presence::Optional(words) = presence {
        description.push_str(&format!("\n\nWithout it: {words}."));
    }
    if let Some(exceeding) = exceeding {
        description.push_str(&format!("\n\nExceeding it gives: {exceeding}."));
    }
    let title = if table.path().is_empty() { (*key).to_owned() } else { format!("{}.{key}", table.path()) };
    let mut schema = vec![("title", Json::Text(title)), ("description", Json::Text(description))];
    if let Presence::Default(value) = presence {
        schema.extend(value_of(value).map(|value| ("default", value)));
    }
    schema.extend(value_of(example).map(|value| ("examples", Json::List(vec![value]))));
    schema.extend(form_of(form));
    Json::object(schema)
}

/// A value of a table as JSON: the tables' own tests hold that it is YAML.
fn value_of(yaml: &str) -> Option<Json> {
    node::compose(yaml).0.as_ref().map(Json::of)
}

/// What a form takes, as the keywords of a schema.
fn form_of(form: &Form) -> Vec<(&'static str, Json)> {
    match form {
        Form::Integer { min, max } => number(*min, *max, "^[0-9]+$", &[""], &units::integer),
        Form::PowerOfTwo { min, max } => {
            let powers = || (0..u64::BITS).map(|bit| 1u64 << bit).filter(|power| (min..=max).contains(&power));
            let quoted = powers().map(|power| power.to_string()).collect::<Vec<_>>().join("|");
            let quoted = [
                ("type", Json::text("string")),
                ("pattern", Json::Text(format!("^0*({quoted})$|{}", texts::REFERENCE))),
            ];
            any_of([words(powers().map(Json::Number)), Json::object(quoted)])
        }
        Form::Size { min, max } => {
            number(*min, *max, "^[0-9]+(B|KiB|MiB|GiB|TiB)?$", &["", "B", "KiB", "MiB", "GiB", "TiB"], &units::size)
        }
        Form::Duration { min, max } => {
            let millis = |text: &str| units::duration(text).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
            let [min, max] = [min, max].map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
            let mut schema = number(min, max, "^[0-9]+(ms|s|m|h)$", &["ms", "s", "m", "h"], &millis);
            // A number alone has no unit.
            schema.retain(|(key, _)| !matches!(*key, "type" | "minimum" | "maximum"));
            schema.insert(0, ("type", Json::text("string")));
            schema
        }
        Form::Text { kind, .. } => texts::schema(kind),
        Form::Choice(allowed) => any_of([words(allowed.iter().flat_map(|word| spellings(word))), refer("reference")]),
        Form::Switch => any_of([switch(&SWITCH), refer("reference")]),
        Form::OrOff(form) => any_of([switch(&["off", "false"]), refer("reference"), Json::object(form_of(form))]),
        Form::OrSwitch(form) => any_of([switch(&SWITCH), refer("reference"), Json::object(form_of(form))]),
        Form::Either(a, b) => any_of([Json::object(form_of(a)), Json::object(form_of(b))]),
        Form::List { of, min } => {
            let mut schema = vec![("type", Json::text("array")), ("items", Json::object(form_of(of)))];
            if *min > 0 {
                schema.push(("minItems", Json::Number(*min as u64)));
            }
            schema
        }
        Form::Map { key, of } => vec![
            ("type", Json::text("object")),
            ("propertyNames", Json::object([texts::key(key)])),
            ("additionalProperties", Json::object(form_of(of))),
        ],
        Form::Object(table) => vec![("$ref", Json::Text(format!("#/$defs/{}", name_of(*table))))],
    }
}

/// A number from `min` to `max`, as YAML's number or as a text. What is not a number breaks `pattern`, which a person
/// can read; what is out of range breaks `not`. `scale` says what one of a unit is.
fn number<E>(
    min: u64,
    max: u64,
    pattern: &str,
    units: &[&str],
    scale: &dyn Fn(&str) -> Result<u64, E>,
) -> Vec<(&'static str, Json)> {
    let scaled = units.iter().filter_map(|unit| Some((*unit, scale(&format!("1{unit}")).ok()?)));
    let units: Vec<(&str, u64)> = scaled.collect();
    let mut schema = vec![
        ("type", Json::List(vec![Json::text("integer"), Json::text("string")])),
        ("minimum", Json::Number(min)),
        ("maximum", Json::Number(max)),
        ("pattern", Json::Text(format!("{pattern}|{}", texts::REFERENCE))),
    ];
    schema.extend(numbers::outside(min, max, &units).map(|outside| {
        let outside = [("type", Json::text("string")), ("pattern", Json::Text(outside))];
        ("not", Json::object(outside))
    }));
    schema
}

/// What YAML makes of a word: `true`, digits and `1.2` are no text to it.
fn spellings(word: &str) -> Vec<Json> {
    let other = match word {
        "true" => Some(Json::Bool(true)),
        "false" => Some(Json::Bool(false)),
        _ => word.parse().ok().map(Json::Number).or_else(|| decimal(word)),
    };
    [Json::text(word)].into_iter().chain(other).collect()
}

/// A word of digits with a point between them: versions.
fn decimal(word: &str) -> Option<Json> {
    let (whole, fraction) = word.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| Json::Decimal(word.to_owned()))
}

fn switch(allowed: &[&str]) -> Json {
    words(allowed.iter().flat_map(|word| spellings(word)))
}

fn words(allowed: impl Iterator<Item = Json>) -> Json {
    Json::object([("enum", Json::List(allowed.collect()))])
}

fn refer(definition: &str) -> Json {
    Json::object([("$ref", Json::Text(format!("#/$defs/{definition}")))])
}

fn any_of<const N: usize>(schemas: [Json; N]) -> Vec<(&'static str, Json)> {
    vec![("anyOf", Json::List(schemas.into()))]
}
