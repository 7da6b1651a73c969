//! `Display` of values: what a person is shown, after DAG-JSON. Not a format to read back.

use std::fmt::{self, Display, Write};

use data_encoding::BASE64_NOPAD;

use super::value::Value;

/// Longest text that a value is shown as, in characters; an ellipsis follows what is cut off.
const MAX_SHOWN: usize = 4096;

/// Shows a value as DAG-JSON does: JSON, with byte strings as `{"/":{"bytes":"…"}}` in base64 and links as
/// `{"/":"b…"}`. Floats always have a point or an exponent. What is longer than 4096 characters is cut short with `…`, as
/// it may come from anybody and go into a log.
///
/// ```
/// use hhs_model::codec::{Map, Value};
///
/// let value = Value::Map([("n", Value::from(1)), ("x", Value::from(0.5))].into());
/// assert_eq!(value.to_string(), r#"{"n":1,"x":0.5}"#);
/// ```
impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cut = Cut { out: f, left: MAX_SHOWN };
        match show(self, &mut cut) {
            Err(fmt::Error) if cut.left == 0 => f.write_char('…'),
            result => result,
        }
    }
}

/// Passes on so many characters and then fails, which ends the walk through the value.
struct Cut<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    left: usize,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.char_indices().nth(self.left).map_or(text.len(), |(at, _)| at);
        self.out.write_str(&text[..end])?;
        if end < text.len() {
            self.left = 0;
            return Err(fmt::Error);
        }
        self.left -= text.chars().count();
        Ok(())
    }
}

fn show(value: &Value, out: &mut Cut<'_, '_>) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{value:?}"),
        Value::Bytes(bytes) => {
            // No more than can be shown: the text is made before it is cut.
            let shown = &bytes.0[..bytes.0.len().min(MAX_SHOWN)];
            write!(out, r#"{{"/":{{"bytes":"{}"}}}}"#, BASE64_NOPAD.encode(shown))
        }
        Value::Text(text) => quoted(text, out),
        Value::List(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                comma(index, out)?;
                show(item, out)?;
            }
            out.write_char(']')
        }
        Value::Map(entries) => {
            out.write_char('{')?;
            for (index, (key, value)) in entries.iter().enumerate() {
                comma(index, out)?;
                quoted(key, out)?;
                out.write_char(':')?;
                show(value, out)?;
            }
            out.write_char('}')
        }
        Value::Link(cid) => write!(out, r#"{{"/":"{cid}"}}"#),
    }
}

fn comma(index: usize, out: &mut Cut<'_, '_>) -> fmt::Result {
    if index == 0 { Ok(()) } else { out.write_char(',') }
}

fn quoted(text: &str, out: &mut Cut<'_, '_>) -> fmt::Result {
    out.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(out, "\\{letter}")?,
            '\n' => out.write_str("\\n")?,
            // Control characters could make a terminal do things.
            _ if letter.is_control() => write!(out, "\\u{:04x}", u32::from(letter))?,
            _ => out.write_char(letter)?,
        }
    }
    out.write_char('"')
}
